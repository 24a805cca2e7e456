"""Adding a folder beside its own stages, each alone: bench_stages with every model and precision.

    stages_peers.py BENCH_STAGES

lite where it is installed, and CLIP ViT-B/32 with random weights, which take as long as trained ones.
Prints what bench_stages prints, an object per line.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "e2e"))
import clip_folder  # noqa: E402
import reference  # noqa: E402

LITE, CLIP = 1000, 200  # pictures


def installed(name):
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return pathlib.Path(os.environ.get("MAGPIE_MODELS") or pathlib.Path(data) / "magpie" / "models") / name


def run(program, model, pictures, models):
    for precision in ("f32", "int8"):
        env = {**os.environ, "MAGPIE_MODELS": str(models), "MAGPIE_PRECISION": precision}
        print(" ".join(subprocess.run([program, model, str(pictures)], env=env, check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.split("\n")), flush=True)


def main():
    program = sys.argv[1]
    if installed("lite").is_dir():
        run(program, "lite", LITE, installed("lite").parent)
    else:
        print(json.dumps({"bench": "stages", "model": "lite", "skipped": "not installed"}))
    with tempfile.TemporaryDirectory() as models:
        shape = {**reference.SHAPES["b32"], "text": clip_folder.SHAPE["text"], "vocabulary": clip_folder.SHAPE["vocabulary"]}
        clip_folder.install(pathlib.Path(models), "clip-b32", shape=shape)
        run(program, "clip-b32", CLIP, models)


if __name__ == "__main__":
    main()
