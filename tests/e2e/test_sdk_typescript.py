"""The TypeScript client, by its own tests, against the real service."""
import os
import pathlib
import shutil
import subprocess
import warnings

import pytest
from conftest import ROOT, picture
from service import Service

SDK = pathlib.Path(ROOT) / "sdk/typescript"


def missing():
    if not shutil.which("node") or not shutil.which("npx"):
        return "node is not installed"
    if not (SDK / "node_modules/.bin/vitest").exists():
        return "sdk/typescript/node_modules is missing; make sdk-typescript fetches it"
    return None


def test_the_client_does_what_it_says(magpie, tmp_path):
    if why := missing():
        warnings.warn(f"the TypeScript client is NOT tested: {why}", stacklevel=1)
        pytest.skip(why)
    for i in range(6):
        picture(tmp_path / "pictures" / f"p{i}.jpg", 100 + i, quality=90)
    service = Service(magpie)
    env = os.environ | {"MAGPIE_URL": f"http://127.0.0.1:{service.port}", "MAGPIE_SETUP_TOKEN": service.setup_token,
                        "MAGPIE_PICTURES": str(tmp_path / "pictures"), "NO_COLOR": "1"}
    done = subprocess.run(["npx", "--no-install", "vitest", "run"], cwd=SDK, env=env, capture_output=True, text=True,
                          timeout=300, stdin=subprocess.DEVNULL)
    code, _ = service.stop()
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout + done.stderr
    assert code == 0
