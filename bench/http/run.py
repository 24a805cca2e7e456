"""The speed of the service: ratios within one run, in turns on the same cores. Prints one JSON object.

    run.py BUILD [--work FOLDER] [--items N] [--seconds S] [--rounds N] [--pictures N] [--parts a,b] [--smoke]

BUILD is the folder of the build (build/release). Parts:
  similar   look-alikes by id over HTTP (wrk) beside the library in a process, for an ordinary account
            (with and without payloads) and for the administrator; latencies; the service's memory beside that process's
  health    GET /health beside nginx with the same fixed body
  upload    pictures sent one by one over 8 connections beside `magpie add --copy` of the same files
Needs wrk and nginx (tools/deps.sh bench; BENCH_NGINX names another binary) and Pillow; what is missing is said
on standard error and left out. wrk runs on the cores that are measured: its share is printed. Rounds
during which other work ran are had again. --smoke: once, quickly, to see that all of it still works.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import pictures
from service import HERE, Inside, Nginx, Service, Watch, answer_of, wrk

ROOT = HERE.parents[1]
CORES = len(os.sched_getaffinity(0))
CONNECTIONS, UPLOADERS = 16, 8
CALM = 0.1  # what others may take of the machine
missing = []


def lacks(what):
    """Loudly: a figure that is not there must not look like one that was met."""
    print(f"bench/http: MISSING: {what}", file=sys.stderr)
    missing.append(what)


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def summary(rows, *keys):
    return {key: round(median(rows, key), 4) for key in keys}


def take_turns(a, rounds, turn):
    """Rows of `turn(number)` by name, as many rounds. One while others took a tenth of the machine is had
    again, up to four times as many in all; then the calmest count. Also what others took while they ran."""
    had = []
    most = rounds if a.smoke else 4 * rounds
    while len(had) < most and sum(others < CALM for others, _ in had) < rounds:
        watch = Watch(CORES)
        row = turn(len(had))
        had.append((watch.others(), row))
    kept = sorted(had, key=lambda one: one[0])[:rounds]
    disturbed = sum(others >= CALM for others, _ in kept)
    if disturbed:
        print(f"bench/http: DISTURBED: other work ran during {disturbed} of {rounds} rounds", file=sys.stderr)
    rows = {name: [row[name] for _, row in kept] for name in kept[0][1]}
    return rows, {"rounds": rounds, "had_again": len(had) - rounds,
                  "others_cpu_share": round(statistics.median(others for others, _ in kept), 3)}


def magpie(a, *args):
    return subprocess.run([a.magpie, *map(str, args)], check=True, stdout=subprocess.DEVNULL)


def source_folder():
    shared = ROOT.parent / "shared/data/clothing"
    return shared if shared.exists() else ROOT / "samples"


def one_picture():
    return min((ROOT / "samples").rglob("*.jpg"))


# ---- look-alikes, and memory ----

def make_library(a):
    """Its first picture comes over HTTP, from an ordinary account whose project all others join."""
    library = a.work / f"library-{a.items}"
    if (library / "complete").exists():
        return library
    shutil.rmtree(library, ignore_errors=True)
    magpie(a, "init", library)
    service = Service(a.magpie, library)
    token = service.token("ada")
    status, text = answer_of(service.port, "POST", "/api/images?name=one.jpg", one_picture().read_bytes(),
                             {"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg"})
    service.stop()
    if status != 201:
        raise SystemExit(f"the first picture: {status} {text}")
    project = json.loads(text)["images"][0]["project_id"]
    subprocess.run([a.build / "bench/http/http_library", library, str(a.items - 1), str(project)], check=True)
    (library / "complete").touch()
    return library


def similar(a, out):
    library = make_library(a)
    inside = Inside(a.build / "bench/http/http_similar", library, CORES, one_picture())
    service = Service(a.magpie, library)
    user, admin = service.token("ada"), service.token("root")
    askers = {"user": (user, ""), "admin": (admin, ""), "user_without_payload": (user, ', "with_payload": false')}

    def turn(_):
        asked = {who: wrk(service.port, "/", a.seconds, CONNECTIONS, 2, CORES, BENCH_TOKEN=token,
                          BENCH_ITEMS=str(a.items), BENCH_BODY=more) for who, (token, more) in askers.items()}
        return {"inside": inside.measure(a.seconds), **asked}

    if not a.smoke:
        turn(0)  # warms up
    rows, turns = take_turns(a, a.rounds, turn)
    out["similar"] = {"model": inside.about["model"], "items": inside.about["items"], **turns,
                      "inside": summary(rows["inside"], "per_s", "median_ms", "p99_ms")}
    for who in askers:
        out["similar"][who] = {
            **summary(rows[who], "per_s", "median_ms", "p99_ms"), "wrk_cpu_share": median(rows[who], "cpu_share"),
            "of_inside": round(median(rows[who], "per_s") / median(rows["inside"], "per_s"), 3),
            "p99_of_median": round(statistics.median(r["p99_ms"] / r["median_ms"] for r in rows[who]), 2)}
    memory(out, inside.about, service, user, a)
    inside.stop()
    service.stop()


def memory(out, about, service, token, a):
    """After that load and some uploads, so that the decode workers and the model are there, too. What the index
    and the model take is what the process in which the library was opened grew by when it loaded them."""
    if a.pillow:
        with tempfile.TemporaryDirectory(dir=a.work) as folder:
            made = pictures.make_pictures(pathlib.Path(folder), 16, source_folder(), time.time_ns())
            pictures.Uploader(service.port, token, made, UPLOADERS).seconds()
    own, workers, n = service.memory_mb()
    index_and_model = about["loaded_mb"] - about["opened_mb"]
    out["memory_mb"] = {"service": round(own, 1), "decode_workers": round(workers, 1), "n_workers": n,
                        "index_and_model": round(index_and_model, 1),
                        "besides_them": round(own + workers - index_and_model, 1)}


# ---- health ----

def health(a, out):
    nginx_program = os.environ.get("BENCH_NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx_program:
        return lacks("nginx: /health has nothing to stand beside")
    with tempfile.TemporaryDirectory(dir=a.work) as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        magpie(a, "init", folder / "library")
        service = Service(a.magpie, folder / "library")
        body = answer_of(service.port, "GET", "/health")[1].decode()
        nginx = Nginx(nginx_program, folder / "nginx", body, CORES)
        ports = {"magpie": service.port, "nginx": nginx.port}

        def turn(_):
            return {name: wrk(port, "/health", a.seconds, CONNECTIONS, 2, CORES) for name, port in ports.items()}

        if not a.smoke:
            turn(0)
        rows, turns = take_turns(a, a.rounds, turn)
        nginx.stop()
        service.stop()
    out["health"] = {name: {**summary(r, "per_s", "median_ms", "p99_ms"), "wrk_cpu_share": median(r, "cpu_share")}
                     for name, r in rows.items()}
    out["health"].update(turns)
    out["health"]["of_nginx"] = round(median(rows["magpie"], "per_s") / median(rows["nginx"], "per_s"), 3)


# ---- uploads ----

def add_by_cli(a, folder, library):
    began = time.monotonic()
    magpie(a, "add", "--quiet", "--copy", "--library", library, folder)
    return time.monotonic() - began


def add_by_http(a, paths, library):
    service = Service(a.magpie, library)
    seconds = pictures.Uploader(service.port, service.token("ada"), paths, UPLOADERS).seconds()
    service.stop()
    return seconds


def upload(a, out):
    if not a.pillow:
        return lacks("Pillow: no pictures to upload")
    folder = a.work / f"pictures-{a.pictures}"
    paths = pictures.make_pictures(folder, a.pictures, source_folder())
    lite = (pathlib.Path(os.environ.get("MAGPIE_MODELS", "")) / "lite").exists()
    models = ["builtin"] + ["lite"] * (lite and not a.smoke)
    if not lite:
        lacks("the lite model: uploads are measured with builtin alone")
    out["upload"] = {"pictures": len(paths), "mean_kb": round(sum(p.stat().st_size for p in paths) / len(paths) / 1e3)}
    # All libraries go at the end: some file systems are slow to make files while others were just deleted.
    with tempfile.TemporaryDirectory(dir=a.work) as fresh:
        for model in models:
            out["upload"][model] = upload_with(a, model, folder, paths, pathlib.Path(fresh) / model)


def upload_with(a, model, folder, paths, fresh):
    ways = {"cli": lambda to: add_by_cli(a, folder, to), "http": lambda to: add_by_http(a, paths, to)}

    def turn(number):
        seconds = {}
        for name, add in ways.items():
            library = fresh / f"{name}-{number}"
            magpie(a, "init", "--model", model, library)
            seconds[name] = add(library)
        return seconds

    rows, turns = take_turns(a, (a.rounds + 1) // 2, turn)
    rates = {name: len(paths) / statistics.median(seconds) for name, seconds in rows.items()}
    return {"cli_per_s": round(rates["cli"], 1), "http_per_s": round(rates["http"], 1),
            "of_cli": round(rates["http"] / rates["cli"], 3), **turns,
            **{f"{name}_s": [round(x, 2) for x in seconds] for name, seconds in rows.items()}}


# ---- all of it ----

def machine():
    with open("/proc/cpuinfo") as f:
        name = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    return {"cpu": name, "cores": CORES, "load_before": os.getloadavg()[0]}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--work", type=pathlib.Path, help="kept between runs: the library and the pictures")
    p.add_argument("--items", type=int, default=100_000)
    p.add_argument("--pictures", type=int, default=1000)
    p.add_argument("--seconds", type=int, default=4, help="of one turn")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--parts", default="similar,health,upload")
    p.add_argument("--smoke", action="store_true")
    a = p.parse_args()
    if a.smoke:
        a.items, a.pictures, a.seconds, a.rounds = 500, 12, 1, 1
    a.build = a.build.resolve()
    a.magpie = a.build / "src/app/magpie"
    a.work = (a.work or a.build / "bench-http").resolve()
    a.work.mkdir(parents=True, exist_ok=True)
    os.environ["MAGPIE_DECODER"] = str(a.magpie)
    try:
        import PIL
        a.pillow = bool(PIL)
    except ImportError:
        a.pillow = False
    return a


def main():
    a = arguments()
    out = {"bench": "http", "machine": machine()}
    parts = {"similar": similar, "health": health, "upload": upload}
    for name in a.parts.split(","):
        if name != "upload" and not shutil.which("wrk"):
            lacks(f"wrk: {name} is not measured")
        else:
            parts[name](a, out)
    out["missing"] = missing
    print(json.dumps(out))
    return 77 if missing and a.smoke else 0  # not everything could be seen to work


if __name__ == "__main__":
    sys.exit(main())
