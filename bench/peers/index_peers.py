"""Magpie's index beside hnswlib, faiss and usearch: the same vectors, the same machine, in turns.

    index_peers.py BENCH_INDEX [SIZES [DIMS [ROUNDS [PEERS]]]]

BENCH_INDEX is that program; it also makes the vectors, one file for all: 400 centres in a subspace of 48
dimensions, points scattered around them in it (0.8 of the centres' own spread, so that clusters overlap),
noise in all dimensions, normalised. SIZES (10000,100000) are the first rows of it, the queries 1,000 rows
that no index holds. PEERS (hnswlib,faiss,usearch) are built once per size, in turns with ours.

All build with M 16 and ef_construction 100 on all cores. Each searches with the smallest beam that
reaches a recall@10 of 0.99 against faiss' exact scan, all queries in one call, on 1 thread and on all.
Printed per size as one JSON object: recall, beam, queries per second (medians over the rounds), seconds
of the build, bytes, and ours over the peer's (queries) or the peer's over ours (seconds; bytes: ours over
theirs). Bytes: what the process grew by for a peer; for ours the index's own account, without the vectors in
their file ("mapped"), and what its process grew by in memory of its own. At the end: how ours grows with the
size: adding all, one search, and the neighbours of every row (what dupes asks of large libraries), with the
exponents e of n^e fitted over all sizes and between the last two. Twice: "denser" of the same 400 centres at every
size, so that a hundred times as many pictures show the same subjects, and "wider" of 250 rows per centre, as of a
library that grows by new subjects.
"""
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import faiss
    import hnswlib
    import numpy as np
    import usearch.index
except ImportError as missing:
    print(json.dumps({"bench": "index_peers", "skipped":
                      f"{missing}: pip install numpy hnswlib faiss-cpu usearch"}))
    sys.exit(0)

QUERIES, K, M, EF_CONSTRUCTION, RECALL = 1000, 10, 16, 100, 0.99
CENTRES, PER_CENTRE = 400, 250
BEAMS = [10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 32, 36, 40, 44, 48, 56, 64, 80, 96, 112,
         128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 384, 448, 512]
CORES = len(os.sched_getaffinity(0))
THREADS = sorted({1, CORES})


def own_memory(pid="self"):
    """Bytes of a process that no file stands behind."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("RssAnon"))


def cpu_seconds(pid):
    """Of all threads of a process: on a shared machine they say more than the clock."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Ours:
    def __init__(self, program, path, dims, n, folder, *more):
        self.process = subprocess.Popen([program, "--steps", path, str(dims), str(n), folder, *more], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def build(self, n):
        before, spent = own_memory(self.process.pid), cpu_seconds(self.process.pid)
        seconds = self.step(f"build {CORES}")["us"] * n / 1e6
        self.grown = own_memory(self.process.pid) - before
        spent = cpu_seconds(self.process.pid) - spent
        self.step("scan")  # what recall is held against in there
        return seconds, spent

    def memory(self):
        return self.step("memory") | {"grown": self.grown}

    def search(self, beam, threads, _):
        answer = self.step(f"search {beam} {threads}")
        return answer["us"], answer["recall"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peer:
    """search() times one call for all queries: no time is spent in Python per query."""

    def __init__(self, base, queries):
        self.base, self.queries = base, queries

    def build(self, _):
        before, began, spent = own_memory(), time.perf_counter(), time.process_time()
        self.make()
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
        self.grown = own_memory() - before
        return seconds, spent

    def memory(self):
        return {"heap": self.grown}

    def search(self, beam, threads, truth):
        self.set_beam(beam)
        began = time.perf_counter()
        found = self.ask(threads)
        spent = (time.perf_counter() - began) / QUERIES * 1e6
        hits = sum(len(set(f) & set(t)) for f, t in zip(found.tolist(), truth.tolist()))
        return spent, hits / (QUERIES * K)

    def close(self):
        self.index = None


class Hnswlib(Peer):
    def make(self):
        self.index = hnswlib.Index("cosine", self.base.shape[1])
        self.index.init_index(len(self.base), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(self.base, num_threads=CORES)

    def set_beam(self, beam):
        self.index.set_ef(max(beam, K))

    def ask(self, threads):
        return self.index.knn_query(self.queries, K, num_threads=threads)[0].astype(np.int64)


class Faiss(Peer):
    def make(self):
        faiss.omp_set_num_threads(CORES)
        self.index = faiss.IndexHNSWFlat(self.base.shape[1], M, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(self.base)

    def set_beam(self, beam):
        self.index.hnsw.efSearch = beam

    def ask(self, threads):
        faiss.omp_set_num_threads(threads)
        return self.index.search(self.queries, K)[1]


class Usearch(Peer):
    def make(self):
        self.index = usearch.index.Index(ndim=self.base.shape[1], metric="cos", dtype="f32",
                                         connectivity=M, expansion_add=EF_CONSTRUCTION)
        self.index.add(np.arange(len(self.base)), self.base, threads=CORES)

    def set_beam(self, beam):
        self.index.expansion_search = beam

    def ask(self, threads):
        return self.index.search(self.queries, K, threads=threads).keys.astype(np.int64)


PEERS = {"hnswlib": Hnswlib, "faiss": Faiss, "usearch": Usearch}


def exact(base, queries):
    faiss.omp_set_num_threads(CORES)
    index = faiss.IndexFlatIP(base.shape[1])
    truth, scores = None, None
    for first in range(0, len(base), 100000):  # in parts, so that no copy of all is made
        index.reset()
        index.add(np.ascontiguousarray(base[first:first + 100000]))
        s, t = index.search(queries, K)
        scores = s if scores is None else np.hstack([scores, s])
        truth = t if truth is None else np.hstack([truth, t + first])
    best = np.argsort(-scores, axis=1)[:, :K]
    return np.take_along_axis(truth, best, axis=1)


def smallest_beam(engine, truth):
    return next((beam for beam in BEAMS if engine.search(beam, 1, truth)[1] >= RECALL), None)


def searches(engines, truth, rounds):
    beams = {name: smallest_beam(engine, truth) for name, engine in engines.items()}
    out = {}
    for threads in THREADS:
        times, recalls = {name: [] for name in engines if beams[name]}, {}
        for _ in range(rounds):
            for name in times:
                us, recalls[name] = engines[name].search(beams[name], threads, truth)
                times[name].append(us)
        us = {name: statistics.median(t) for name, t in times.items()}
        out[f"{threads} threads"] = {
            name: {"recall": round(recalls[name], 4), "beam": beams[name], "us": round(us[name], 2),
                   "per_second": round(1e6 / us[name]), "ours_over_it": round(us[name] / us["magpie"], 2)}
            for name in us}
    return out


def by_default(engine, truth, rounds):
    """What a library asks: the index's own beam, on one thread."""
    answers = [engine.search(0, 1, truth) for _ in range(rounds)]
    return {"us": round(statistics.median(us for us, _ in answers), 2), "recall": round(answers[0][1], 4)}


def one_size(program, path, rows, n, rounds, peers, folder):
    base, queries = rows[:n], np.ascontiguousarray(rows[-QUERIES:])
    engines = {"magpie": Ours(program, path, rows.shape[1], n, folder),
               **{name: PEERS[name](base, queries) for name in peers}}
    truth = exact(base, queries)
    seconds = {}
    for name, engine in engines.items():
        seconds[name] = engine.build(n)
        print(f"{n} vectors, {name}: built in {seconds[name][0]:.1f} s", file=sys.stderr, flush=True)
    bytes_of = {name: engine.memory() for name, engine in engines.items()}
    report = {
        "join": engines["magpie"].step("join"),
        "search": searches(engines, truth, rounds),
        "default_beam": by_default(engines["magpie"], truth, rounds),
        "build": {name: {"seconds": round(s[0], 2), "cpu_seconds": round(s[1], 2),
                         "it_over_ours": round(s[0] / seconds["magpie"][0], 2),
                         "cpu_over_ours": round(s[1] / seconds["magpie"][1], 2)}
                  for name, s in seconds.items()},
        "bytes": {name: b | {"per_vector": round(b["heap"] / n),
                             "ours_over_it": round(bytes_of["magpie"]["heap"] / b["heap"], 3)}
                  for name, b in bytes_of.items()}}
    for engine in engines.values():
        engine.close()
    return report


def exponents(sizes, seconds):
    """n^e by least squares over all sizes, and between the last two."""
    x, y = [math.log(n) for n in sizes], [math.log(s) for s in seconds]
    mx, my = statistics.mean(x), statistics.mean(y)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)
    return {"by_size": dict(zip(sizes, seconds)), "exponent": round(slope, 3),
            "exponent_of_last": round((y[-1] - y[-2]) / (x[-1] - x[-2]), 3)}


def growth(sizes, reports):
    """Log-like growth of a search has an exponent that falls towards 0: with the default beam it is the
    graph's own, and with the beam that keeps the recall also that of the data, which becomes denser."""
    def of_searches(found):
        us, recall = zip(*((f["us"], f["recall"]) for f in found))
        return exponents(sizes, us) | {"recall": dict(zip(sizes, recall)), "us_over_log_n": {
            n: round(u / math.log(n), 3) for n, u in zip(sizes, us)}}
    joins = [r["join"] for r in reports]
    return {"add_all_s": exponents(sizes, [r["build"]["magpie"]["seconds"] for r in reports]),
            "search_us_of_one_recall": of_searches([r["search"]["1 threads"]["magpie"] for r in reports]),
            "search_us_default_beam": of_searches([r["default_beam"] for r in reports]),
            "neighbours_of_all_s": exponents(sizes, [round(j["us"] * n / 1e6, 2) for n, j in zip(sizes, joins)])
            | {"recall": {n: j["recall"] for n, j in zip(sizes, joins)}}}


def make_rows(program, folder, n, dims, centres):
    path = os.path.join(folder, "rows")
    subprocess.run([program, "--write", path, str(n), str(dims), str(centres)], check=True)
    return path, np.memmap(path, np.float32, "r").reshape(-1, dims)


def wider(program, sizes, dims, rounds, folder):
    reports = []
    for n in sizes:
        path, rows = make_rows(program, folder, n, dims, n // PER_CENTRE)
        reports.append(one_size(program, path, rows, n, rounds, [], folder))
    return growth(sizes, reports)


def main():
    given = sys.argv[2:] + ["10000,100000", "512", "9", "hnswlib,faiss,usearch"][len(sys.argv) - 2:]
    sizes, dims, rounds = [int(n) for n in given[0].split(",")], int(given[1]), int(given[2])
    peers = [p for p in given[3].split(",") if p]
    with tempfile.TemporaryDirectory() as folder:
        path, rows = make_rows(sys.argv[1], folder, max(sizes), dims, CENTRES)
        head = {"bench": "index_peers", "dims": dims, "m": M, "ef_construction": EF_CONSTRUCTION,
                "machine": machine(), "versions": {"hnswlib": "0.8.0", "faiss": faiss.__version__,
                                                   "usearch": usearch.__version__}}
        reports = []
        for n in sizes:
            reports.append(one_size(sys.argv[1], path, rows, n, rounds, peers, folder))
            print(json.dumps(head | {"points": n} | reports[-1], indent=1), flush=True)
        if len(sizes) > 1:
            print(json.dumps({"bench": "index_growth", "denser": growth(sizes, reports),
                              "wider": wider(sys.argv[1], sizes, dims, rounds, folder)}, indent=1))


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": CORES, "simd": os.environ.get("MAGPIE_SIMD", "all")}


if __name__ == "__main__":
    main()
