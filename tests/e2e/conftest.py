"""The real binary on a library of its own, per test."""
import json
import os
import pathlib
import random
import subprocess

import pytest
from PIL import Image, ImageDraw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MAGPIE", str(ROOT / "build/release/src/app/magpie"))
SHARED = ROOT.parent / "shared"
# What a service would read, and no test has said.
OTHERS = ("MAGPIE_", "JWT_", "OTEL_", "DATABASE_URL", "QDRANT_URL", "S3_ENDPOINT", "MINIO_ENDPOINT", "REDIS_URL",
          "EMBED_URL", "MODEL_NAME", "PROMETHEUS_ENABLED")


def picture(path, seed, size=(320, 240), **options):
    """A random but textured picture: soft blobs, so that no two seeds look alike."""
    rng = random.Random(seed)
    im = Image.new("RGB", size, tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(im)
    for _ in range(60):
        x, y, r = rng.randrange(size[0]), rng.randrange(size[1]), rng.randrange(6, 60)
        colour = tuple(rng.randrange(256) for _ in range(3))
        if rng.random() < 0.5:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        else:
            draw.rectangle((x - r, y - r // 2, x + r, y + r // 2), fill=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    im.save(path, **options)
    return im


class Magpie:
    def __init__(self, tmp_path, model="builtin"):
        self.library = tmp_path / "library"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
        self.env.update(MAGPIE_LIBRARY=str(self.library), MAGPIE_DECODER=BINARY, NO_COLOR="1",
                        HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "config"),
                        MAGPIE_MODELS=os.environ.get("MAGPIE_MODELS", str(ROOT / ".models")))
        self.model = model

    def run(self, *args, code=0, **options):
        done = subprocess.run([BINARY, *map(str, args)], env=self.env, capture_output=True,
                              timeout=120, stdin=subprocess.DEVNULL, **options)
        if code is not None:
            assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done

    def start(self, *args, **options):
        return subprocess.Popen([BINARY, *map(str, args)], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)

    def json(self, *args, code=0):
        out = self.run(*args, "--json", code=code).stdout.decode()
        lines = [json.loads(line) for line in out.splitlines()]
        assert all(line["format"] == 1 for line in lines)
        return lines

    def add(self, *args, code=0):
        lines = self.json("add", *args, code=code)
        files = {pathlib.Path(f["path"]).name: f for f in lines if f["event"] == "file"}
        return lines[-1], files

    def sound(self, *args):
        report = self.json("verify", *args)[-1]
        assert report["problems"] == 0, report
        return report["items"]


@pytest.fixture
def magpie(tmp_path):
    m = Magpie(tmp_path)
    m.run("init", "--model", "builtin")
    return m


@pytest.fixture
def lite(tmp_path):
    m = Magpie(tmp_path)
    if not os.path.exists(os.path.join(m.env["MAGPIE_MODELS"], "lite", "manifest.json")):
        pytest.skip("the lite model is not installed")
    m.run("init", "--model", "lite")
    return m


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for i in range(12):
        picture(folder / f"p{i:02}.jpg", i, quality=90)
    return folder
