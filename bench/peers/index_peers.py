"""Magpie's index beside hnswlib, faiss and usearch: the same vectors, the same machine, in turns.

    index_peers.py BENCH_INDEX [POINTS [DIMS [ROUNDS]]]

BENCH_INDEX is that program; it also makes the vectors (clusters, cosine). All build with M 16 and
ef_construction 100 on all cores. Each searches on one thread with the smallest beam that reaches a
recall@10 of 0.98 (and 0.995) against the exact scan; faiss' flat index stands beside our scan. usearch
is shown with f32 and with 8-bit vectors, because ours keeps 8-bit codes beside the f32 ones. Prints
one JSON object: microseconds per query (medians over the rounds), recall, and the peer's time over
ours (above 1: ours is faster).
"""
import json
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

QUERIES, K, M, EF_CONSTRUCTION = 500, 10, 16, 100
BEAMS = [10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512]
CORES = len(os.sched_getaffinity(0))


class Ours:
    def __init__(self, program, path, dims):
        self.process = subprocess.Popen([program, "--steps", path, str(dims)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def build(self):
        return self.step(f"build {CORES}")["us"]

    def search(self, beam, _):
        answer = self.step(f"search {beam}")
        return answer["us"], answer["recall"]

    def scan(self):
        return self.step("scan")["us"]


class Peer:
    """search() times one call for all queries: no time is spent in Python per query."""

    def __init__(self, base, queries):
        self.base, self.queries = base, queries

    def build(self):
        began = time.perf_counter()
        self.make()
        return (time.perf_counter() - began) / len(self.base) * 1e6

    def search(self, beam, truth):
        self.set_beam(beam)
        began = time.perf_counter()
        found = self.ask()
        spent = (time.perf_counter() - began) / QUERIES * 1e6
        hits = sum(len(set(f) & set(t)) for f, t in zip(found.tolist(), truth.tolist()))
        return spent, hits / (QUERIES * K)


class Hnswlib(Peer):
    def make(self):
        self.index = hnswlib.Index("cosine", self.base.shape[1])
        self.index.init_index(len(self.base), EF_CONSTRUCTION, M)
        self.index.add_items(self.base, num_threads=CORES)

    def set_beam(self, beam):
        self.index.set_ef(max(beam, K))

    def ask(self):
        return self.index.knn_query(self.queries, K, num_threads=1)[0].astype(np.int64)


class Faiss(Peer):
    def make(self):
        faiss.omp_set_num_threads(CORES)
        self.index = faiss.IndexHNSWFlat(self.base.shape[1], M, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(self.base)

    def set_beam(self, beam):
        self.index.hnsw.efSearch = beam

    def ask(self):
        faiss.omp_set_num_threads(1)
        return self.index.search(self.queries, K)[1]


class Usearch(Peer):
    kind = "f32"

    def make(self):
        self.index = usearch.index.Index(ndim=self.base.shape[1], metric="cos", dtype=self.kind,
                                         connectivity=M, expansion_add=EF_CONSTRUCTION)
        self.index.add(np.arange(len(self.base)), self.base, threads=CORES)

    def set_beam(self, beam):
        self.index.expansion_search = beam

    def ask(self):
        return self.index.search(self.queries, K, threads=1).keys.astype(np.int64)


class UsearchSmall(Usearch):
    kind = "i8"


def flat(base, queries):
    """The truth, and microseconds per query of faiss' scan, one query at a time."""
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    truth = index.search(queries, K)[1]

    def ask():
        faiss.omp_set_num_threads(1)
        began = time.perf_counter()
        for q in queries[:100]:
            index.search(q[None], K)
        return (time.perf_counter() - began) / 100 * 1e6
    return truth, ask


def smallest_beam(engine, truth, least):
    for beam in BEAMS:
        if engine.search(beam, truth)[1] >= least:
            return beam
    return None


def main():
    program = sys.argv[1]
    points, dims, rounds = (int(a) for a in (sys.argv[2:] + ["50000", "512", "9"][len(sys.argv) - 2:]))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows")
        subprocess.run([program, "--write", path, str(points), str(dims)], check=True)
        rows = np.fromfile(path, np.float32).reshape(-1, dims)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        base, queries = rows[:-QUERIES], rows[-QUERIES:]
        engines = {"magpie": Ours(program, path, dims), "hnswlib": Hnswlib(base, queries),
                   "faiss": Faiss(base, queries), "usearch": Usearch(base, queries),
                   "usearch i8": UsearchSmall(base, queries)}
        build = {name: [] for name in engines}
        for _ in range(min(rounds, 3)):
            for name, engine in engines.items():
                build[name].append(engine.build())
        truth, scan_of_faiss = flat(base, queries)
        scans = {"magpie": [], "faiss flat": []}
        for _ in range(rounds):
            scans["magpie"].append(engines["magpie"].scan())
            scans["faiss flat"].append(scan_of_faiss())
        report = {"build_us_per_vector": table(build), "scan_us": table(scans)}
        for least in (0.98, 0.995):
            report[f"search_us_at_recall_{least}"] = searches(engines, truth, least, rounds)
        report["search_us_at_default"] = {"magpie": dict(zip(
            ("us", "recall"), engines["magpie"].search(0, truth)))}
        engines["magpie"].process.stdin.close()
    print(json.dumps({"bench": "index_peers", "points": points, "dims": dims, "m": M,
                      "ef_construction": EF_CONSTRUCTION, "machine": machine(),
                      "versions": {"hnswlib": "0.8.0", "faiss": faiss.__version__,
                                   "usearch": usearch.__version__}, **report}, indent=1))


def searches(engines, truth, least, rounds):
    beams = {name: smallest_beam(engine, truth, least) for name, engine in engines.items()}
    times, recalls = {name: [] for name in engines}, {}
    for _ in range(rounds):
        for name, engine in engines.items():
            if beams[name]:
                us, recalls[name] = engine.search(beams[name], truth)
                times[name].append(us)
    out = table({name: t for name, t in times.items() if t})
    for name, row in out.items():
        row.update(recall=round(recalls[name], 4), beam=beams[name])
    return out


def table(times):
    ours = statistics.median(times["magpie"])
    return {name: {"us": round(statistics.median(t), 2), "least": round(min(t), 2),
                   "ratio": round(statistics.median(t) / ours, 2)} for name, t in times.items()}


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": CORES}


if __name__ == "__main__":
    main()
