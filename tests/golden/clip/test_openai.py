"""The weights of clip-vit-b32, where they are installed, against vectors that others published.

    test_openai.py MAGPIE GOLDEN_FOLDER WORK_FOLDER

Pictures are added to a library and their vectors exported; captions go through the embedding service.
Exit code 77 (skipped, loudly) when the weights or the golden vectors are missing.
"""
import csv
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

NAME = "clip-vit-b32"


def skip(why):
    print(f"SKIPPED: {why}. These tests hold CLIP against real weights: run `magpie model pull {NAME}` "
          "and set MAGPIE_MODELS to see them.")
    sys.exit(77)


def main():
    magpie, golden, work = sys.argv[1:4]
    models = os.environ.get("MAGPIE_MODELS", "")
    if not os.path.exists(os.path.join(models, NAME, "manifest.json")):
        skip(f"the model {NAME} is not installed in MAGPIE_MODELS={models!r}")
    folder = os.path.join(golden, "clip-vit-b32-openai")
    if not os.path.isdir(folder):
        skip(f"there is no {folder}")
    try:
        import numpy as np
    except ImportError as missing:
        skip(str(missing))
    library = os.path.join(work, "openai-library")
    env = {**os.environ, "MAGPIE_LIBRARY": library, "MAGPIE_DECODER": magpie, "MAGPIE_PRECISION": "f32"}
    process = subprocess.Popen([magpie, "embed", "--model", NAME, "--port", "0", "--json"], env=env,
                               stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(process.stdout.readline())["port"]

        def ask(path, body, kind):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": kind})
            try:
                return np.array(json.load(urllib.request.urlopen(request))["embedding"])
            except urllib.error.HTTPError as refused:
                sys.exit(f"{path}: {refused.read().decode()}")

        def cosine(a, b):
            return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

        names = open(os.path.join(folder, "images.txt")).read().split()
        want = np.load(os.path.join(folder, "image_embeddings.npy"))
        seen = []
        for name, row in zip(names, want):
            data = open(os.path.join(folder, "images", os.path.basename(name)), "rb").read()
            body = (b'--magpie\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + data + b"\r\n--magpie--\r\n")
            seen.append(cosine(ask("/embed/image", body, "multipart/form-data; boundary=magpie"), row))
        want = np.load(os.path.join(folder, "caption_embeddings.npy"))
        with open(os.path.join(folder, "captions.csv"), newline="") as file:
            rows = list(csv.reader(file))
        captions = [row[-1] for row in rows[len(rows) - len(want):]]
        read = [cosine(ask("/embed/text", json.dumps({"text": text}).encode(), "application/json"), row)
                for text, row in zip(captions, want)]
    finally:
        process.terminate()
        process.wait()
    print(f"{len(seen)} pictures: worst cosine {min(seen):.6f}; {len(read)} captions: worst {min(read):.6f}")
    if min(seen) < 0.9999 or min(read) < 0.9999:
        sys.exit("the vectors are not those that were published")


if __name__ == "__main__":
    main()
