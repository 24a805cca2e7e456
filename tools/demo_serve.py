#!/usr/bin/env python3
"""Starts the service on the demo's library in the background, makes its first account and says how to log in
and how to stop it; `demo_serve.py stop` ends the one that was started so. Notes its process in STATE/demo.json."""
import argparse
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WAIT_S = 60


def is_ours(note):
    """The number may be another program's by now."""
    try:
        return os.path.samefile(f"/proc/{note['pid']}/exe", note["magpie"])
    except OSError:
        return False


def stop(note_file):
    try:
        note = json.loads(note_file.read_text())
    except (OSError, ValueError):
        return False
    ran = is_ours(note)
    if ran:
        os.kill(note["pid"], signal.SIGTERM)
        end = time.monotonic() + WAIT_S
        while is_ours(note) and time.monotonic() < end:
            time.sleep(0.05)
    note_file.unlink()
    return ran


def first_line(process, out):
    """What the service says once it answers; None when it ended instead."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        text = out.read_text()
        if text.endswith("\n"):
            said = json.loads(text.splitlines()[0])
            return said if said.get("event") == "ready" else None
        if process.poll() is not None:
            return None
        time.sleep(0.05)
    process.terminate()
    return None


def make_account(base, setup_token, password):
    body = {"setup_token": setup_token, "username": "demo", "password": password}
    request = urllib.request.Request(f"{base}/api/auth/setup", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return answer.status == 201


def start(args, note_file):
    state = note_file.parent
    state.mkdir(parents=True, exist_ok=True)
    stop(note_file)
    out, log = state / "demo-serve.out", state / "demo-serve.log"
    with out.open("w") as stdout, log.open("w") as stderr:
        process = subprocess.Popen([args.magpie, "serve", "--library", args.library, "--port", str(args.port), "--json"],
                                   stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True)
    note_file.write_text(json.dumps({"pid": process.pid, "magpie": os.path.realpath(args.magpie)}))
    ready = first_line(process, out)
    if not ready:
        note_file.unlink()
        print((log.read_text() + out.read_text())[-2000:].strip(), file=sys.stderr)
        print(f"demo: the service did not start at port {args.port}; make demo PORT=N takes another, "
              "make demo SERVE=no does without", file=sys.stderr)
        return 1
    base, password = f"http://localhost:{ready['port']}", secrets.token_urlsafe(9)
    if not make_account(base, ready["setup_token"], password):
        return 1
    print(f"""
The service runs at {base} with the pictures of samples/ (its interface: {base}/docs).
  log in as   demo / {password}
  for example eval "$(echo {password} | {args.shown} login --server {base} --username demo)"
              {args.shown} search running shoes
  its log     {os.path.relpath(log)}
  stop it     make demo-stop""")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["start", "stop"])
    parser.add_argument("--magpie", default=str(ROOT / "build/release/src/app/magpie"))
    parser.add_argument("--library", default=str(ROOT / "demo-library"))
    parser.add_argument("--state", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    args.shown = os.path.relpath(args.magpie)
    note_file = args.state / "demo.json"
    if args.what == "start":
        return start(args, note_file)
    print("the demo's service is stopped" if stop(note_file) else "the demo's service does not run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
