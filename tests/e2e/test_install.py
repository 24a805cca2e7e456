"""What `make install` leaves: a library that two small programs build against through pkg-config."""
import os
import pathlib
import subprocess

from conftest import ROOT, picture

BUILD = os.environ.get("BUILD_DIR", str(ROOT / "build/release"))


def run(*args, **options):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=120,
                          **options)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


def test_examples_against_the_installed_library(tmp_path):
    prefix = tmp_path / "prefix"
    run("cmake", "--install", BUILD, "--prefix", prefix)
    for path in ("bin/magpie", "include/magpie.h", "share/man/man1/magpie.1",
                 "share/bash-completion/completions/magpie", "share/magpie/lite_fetch.py"):
        assert (prefix / path).exists(), path
    (pc,) = prefix.rglob("magpie.pc")
    text = pc.read_text().splitlines()
    pc.write_text("\n".join([f"prefix={prefix}"] + text[1:]) + "\n")
    libdir = pathlib.Path(pc).parent.parent
    assert (libdir / "libmagpie.a").exists() and (libdir / "libmagpie.so").exists()
    env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), LD_LIBRARY_PATH=str(libdir),
               MAGPIE_DECODER=str(prefix / "bin/magpie"), MAGPIE_MODELS=str(tmp_path / "none"))
    flags = run("pkg-config", "--cflags", "--libs", "magpie", env=env).split()
    for name in ("find_words", "list_copies"):
        run("cc", "-Wall", "-Werror", ROOT / f"examples/{name}.c", *flags, "-o", tmp_path / name,
            env=env)
    folder = tmp_path / "pictures"
    im = picture(folder / "red_bicycle.png", 1)
    im.save(folder / "again.jpg")
    picture(folder / "other.jpg", 2)
    found = run(tmp_path / "find_words", tmp_path / "library", folder, "bicycle", env=env)
    assert "red_bicycle.png" in found
    copies = run(tmp_path / "list_copies", tmp_path / "library", env=env)
    assert "keep" in copies and "again.jpg" in copies
    names = run("nm", "-D", "--defined-only", libdir / "libmagpie.so").split("\n")
    public = {line.split()[-1] for line in names if line}
    assert public and all(n.startswith("magpie_") for n in public), public
