"""Runs probe_clip and talks with it."""
import os
import subprocess

import numpy as np

import reference


class Probe:
    def __init__(self, program, weights, shape, folder, quick=True, precision="f32", threads=1, env=None):
        self.shape, self.folder = shape, str(folder)
        sizes = [shape["side"], shape["patch"], *shape["image"], *shape["text"], shape["vocabulary"], shape["dims"]]
        self.process = subprocess.Popen(
            [program, weights, *map(str, sizes), "quick" if quick else "plain", precision, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        first = self.process.stdout.readline().strip()
        if first != "ok":
            self.close()
            raise RuntimeError(first)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, line):
        """The lines before "ok"."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        lines = []
        for answer in self.process.stdout:
            answer = answer.strip()
            if answer == "ok":
                return lines
            if answer.startswith("failed"):
                raise RuntimeError(answer)
            lines.append(answer)
        raise RuntimeError("the program ended")

    def _file(self, name, value=None):
        path = os.path.join(self.folder, name)
        if value is not None:
            value.tofile(path)
        return path

    def images(self, px):
        self.ask(f"images {len(px)} {self._file('in', px)} {self._file('out')}")
        return np.fromfile(self._file("out"), "<f4").reshape(len(px), self.shape["dims"])

    def texts(self, ids):
        self.ask(f"texts {len(ids)} {ids.shape[1]} {self._file('in', ids.astype('<i4'))} {self._file('out')}")
        return np.fromfile(self._file("out"), "<f4").reshape(len(ids), self.shape["dims"])

    def image_layers(self, px):
        self.ask(f"image-layers {self._file('in', px)} {self._file('out')}")
        width, layers = self.shape["image"][:2]
        return np.fromfile(self._file("out"), "<f4").reshape(layers + 1, -1, width)

    def text_layers(self, ids):
        self.ask(f"text-layers {len(ids)} {self._file('in', ids.astype('<i4'))} {self._file('out')}")
        width, layers = self.shape["text"][:2]
        return np.fromfile(self._file("out"), "<f4").reshape(layers + 1, -1, width)

    def time_images(self, px, rounds):
        return [float(x) for x in self.ask(f"time-images {len(px)} {self._file('in', px)} {rounds}")]

    def time_texts(self, ids, rounds):
        return [float(x) for x in self.ask(
            f"time-texts {len(ids)} {ids.shape[1]} {self._file('in', ids.astype('<i4'))} {rounds}")]


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
