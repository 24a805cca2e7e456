"""onnxruntime as it runs on a processor without AVX-512 and VNNI: it asks the processor and has no
setting for it. hide() before the first import of onnxruntime.

A copy of the package is made, in which each CPUID instruction of its module is UD2, and older_cpu.c
(built beside the benches: `library`) answers that one. Nothing else differs.
"""
import ctypes
import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile

CPUID, UD2 = b"\x0f\xa2", b"\x0f\x0b"


def places(module):
    """Where the file has CPUID: offsets in the file."""
    ask = lambda *words: subprocess.run(["objdump", *words, module], capture_output=True, text=True, check=True).stdout
    listing, sections = ask("-d", "--no-show-raw-insn"), ask("-h")
    moved = next(int(words[3], 16) - int(words[5], 16) for words in map(str.split, sections.splitlines())
                 if len(words) > 5 and words[1] == ".text")
    return [int(line.split(":")[0], 16) - moved for line in listing.splitlines() if line.endswith("\tcpuid")]


def hide(library):
    folder = hide.folder = tempfile.TemporaryDirectory()
    found = importlib.util.find_spec("onnxruntime")
    if not found:
        raise ImportError("No module named 'onnxruntime'")
    package = found.submodule_search_locations[0]
    shutil.copytree(package, os.path.join(folder.name, "onnxruntime"), ignore=shutil.ignore_patterns("libonnxruntime.so*"))
    module, = glob.glob(os.path.join(folder.name, "onnxruntime/capi/onnxruntime_pybind11_state*.so"))
    with open(module, "r+b") as file:
        for at in places(module):
            file.seek(at)
            if file.read(2) != CPUID:
                raise RuntimeError(f"{module}: no CPUID at {at:x}")
            file.seek(at)
            file.write(UD2)
    hide.kept = ctypes.create_string_buffer(module.encode())
    if ctypes.CDLL(library).older_cpu(hide.kept):
        raise OSError("older_cpu")
    sys.path.insert(0, folder.name)
