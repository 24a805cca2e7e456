"""Photographs to upload, and who uploads them."""
import io
import pathlib
import random
import socket
import threading
import time

SIDE = 1024


def make_pictures(folder, count, sources, salt=0):
    """`count` different JPEGs of 1,024 px and 100 to 300 KB, cut from the sources; made once. Pillow."""
    from PIL import Image, ImageEnhance
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:05}.jpg" for i in range(count)]
    found = sorted(p for p in sources.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    for i, path in enumerate(paths):
        if path.exists():
            continue
        rng = random.Random(i + salt)
        with Image.open(found[i % len(found)]) as source:
            im = source.convert("RGB")
        x, y = (rng.uniform(0, 0.15) * side for side in im.size)
        im = im.crop((int(x), int(y), int(im.width - rng.uniform(0, x)), int(im.height - rng.uniform(0, y))))
        im = im.resize((SIDE, max(1, round(SIDE * im.height / im.width))))
        im = ImageEnhance.Brightness(im).enhance(rng.uniform(0.85, 1.15))
        noise = Image.effect_noise(im.size, 12).convert("L")
        im = Image.blend(im, Image.merge("RGB", [noise] * 3), 0.05)
        part = io.BytesIO()
        for quality in (90, 80, 70, 60, 50):
            part = io.BytesIO()
            im.save(part, "JPEG", quality=quality)
            if part.tell() < 300_000:
                break
        temporary = path.with_suffix(".part")
        temporary.write_bytes(part.getvalue())
        temporary.rename(path)
    return paths


def read_answer(s, rest):
    """(status, what came after the answer): heads and lengths as this service sends them."""
    while b"\r\n\r\n" not in rest:
        piece = s.recv(65536)
        if not piece:
            raise SystemExit("the service hung up")
        rest += piece
    head, rest = rest.split(b"\r\n\r\n", 1)
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if
                  line.startswith(b"content-length:"))
    while len(rest) < length:
        rest += s.recv(65536)
    return int(head.split(b" ", 2)[1]), rest[length:]


class Uploader:
    """One picture per request over kept connections, each with a thread: mostly waiting."""

    def __init__(self, port, token, paths, connections):
        self.port, self.token, self.connections = port, token, connections
        self.queue, self.refused = list(reversed(paths)), []

    def _run(self):
        rest = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    path = self.queue.pop()
                except IndexError:
                    return
                data = pathlib.Path(path).read_bytes()
                s.sendall((f"POST /api/images?name={path.name} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           f"Authorization: Bearer {self.token}\r\nContent-Type: image/jpeg\r\n"
                           f"Content-Length: {len(data)}\r\n\r\n").encode() + data)
                status, rest = read_answer(s, rest)
                if status != 201:
                    self.refused.append((path.name, status))

    def seconds(self):
        threads = [threading.Thread(target=self._run) for _ in range(self.connections)]
        began = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        spent = time.monotonic() - began
        if self.refused or self.queue:
            raise SystemExit(f"uploads were refused: {self.refused[:3]}")
        return spent
