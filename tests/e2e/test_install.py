"""What `make install` leaves: a library that two small programs build against through pkg-config."""
import os
import shutil
import subprocess

import pytest
from conftest import ROOT, picture

BUILD = os.environ.get("BUILD_DIR", str(ROOT / "build/release"))


def run(*args, **options):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=240,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A staged tree, moved afterwards: nothing may remember where it was first."""
    stage = tmp_path_factory.mktemp("stage")
    run("cmake", "--install", BUILD, "--prefix", "/opt/magpie", env=dict(os.environ, DESTDIR=stage))
    prefix = tmp_path_factory.mktemp("root") / "moved"
    shutil.move(stage / "opt/magpie", prefix)
    return prefix


@pytest.fixture
def env(installed, tmp_path):
    (pc,) = installed.rglob("magpie.pc")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAGPIE_")}
    return dict(clean, PKG_CONFIG_PATH=str(pc.parent), LD_LIBRARY_PATH=str(pc.parent.parent),
                MAGPIE_DECODER=str(installed / "bin/magpie"), MAGPIE_MODELS=str(tmp_path / "none"),
                OUT=str(tmp_path), CFLAGS="-Wall -Wextra -Wpedantic -Werror", HOME=str(tmp_path))


def libdir(env):
    return env["LD_LIBRARY_PATH"]


def test_everything_is_there(installed, env):
    for path in ("bin/magpie", "include/magpie.h", "share/man/man1/magpie.1",
                 "share/bash-completion/completions/magpie", "share/zsh/site-functions/_magpie",
                 "share/fish/vendor_completions.d/magpie.fish", "share/magpie/lite_fetch.py",
                 "share/doc/magpie/LICENSE", "share/doc/magpie/magpie.example.toml",
                 "share/doc/magpie/examples/Makefile"):
        assert (installed / path).stat().st_size > 0, path
    for name in ("libmagpie.a", "libmagpie.so", "libmagpie.so.0"):
        assert os.path.exists(os.path.join(libdir(env), name)), name
    run("bash", "-n", installed / "share/bash-completion/completions/magpie")
    assert "libmagpie.so.0" in run("objdump", "-p", os.path.join(libdir(env), "libmagpie.so"))
    version = run("pkg-config", "--modversion", "magpie", env=env).strip()
    assert version in run(installed / "bin/magpie", "version", env=env)


def test_only_public_names_leave_the_library(env):
    header = (ROOT / "include/magpie.h").read_text()
    names = run("nm", "-D", "--defined-only", os.path.join(libdir(env), "libmagpie.so")).split("\n")
    public = {line.split()[-1] for line in names if line}
    assert public and all(n.startswith("magpie_") for n in public), public
    assert all(f"{n}(" in header for n in public), "exported, but not in the header"
    declared = {line.split("(")[0].split()[-1].lstrip("*")
                for line in header.split("\n") if line.startswith("MAGPIE_API") and "(" in line}
    assert declared <= public, declared - public


def test_the_header_stands_alone_in_c_and_cpp(installed, tmp_path, env):
    source = tmp_path / "only.c"
    source.write_text("#include <magpie.h>\nint main(void) { return magpie_version() == 0; }\n")
    include = f"-I{installed}/include"
    run("cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", include, "-fsyntax-only", source)
    run("c++", "-x", "c++", "-Wall", "-Wextra", "-Werror", include, "-fsyntax-only", source)


@pytest.mark.parametrize("kind", ["all", "static"])
def test_examples_against_the_installed_library(installed, env, tmp_path, kind):
    run("make", "-f", installed / "share/doc/magpie/examples/Makefile", kind, env=env, cwd=tmp_path)
    tail = "_static" if kind == "static" else ""
    linked = run("ldd", tmp_path / f"find_words{tail}", env=env)
    assert ("libmagpie.so" in linked) == (kind == "all")
    folder = tmp_path / "pictures"
    im = picture(folder / "red_bicycle.png", 1)
    im.save(folder / "again.jpg")
    picture(folder / "other.jpg", 2)
    (folder / "torn.jpg").write_bytes((folder / "again.jpg").read_bytes()[:900])
    library = tmp_path / "library"
    done = subprocess.run([tmp_path / f"find_words{tail}", library, folder, "bicycle"], env=env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "red_bicycle.png" in done.stdout, done
    assert "torn.jpg" in done.stderr
    assert "no good match" in run(tmp_path / f"find_words{tail}", library, folder, "zeppelin", env=env)
    copies = run(tmp_path / f"list_copies{tail}", library, env=env)
    assert "keep" in copies and "again.jpg" in copies and "other.jpg" not in copies


def test_the_installed_binary_alone(installed, env, tmp_path):
    """No environment variable helps it: it decodes with itself and finds its model script."""
    alone = {k: v for k, v in env.items() if not k.startswith(("MAGPIE_", "LD_"))}
    picture(tmp_path / "p/a.jpg", 1)
    binary = installed / "bin/magpie"
    assert "added 1" in run(binary, "add", tmp_path / "p", env=alone)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run([binary, "model", "pull", "--from", empty], env=dict(alone, PIP_NO_INDEX="1"),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "lite_fetch.py was not installed" not in done.stderr, done.stderr
