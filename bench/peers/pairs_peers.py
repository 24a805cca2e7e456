"""Magpie's exact neighbours of all rows beside faiss' flat index searched in batches: in turns.

    pairs_peers.py BENCH_PAIRS [ROWS [DIMS [ROUNDS [KINDS]]]]

BENCH_PAIRS is that program; it also makes the rows (its head tells of the kinds). A kind that names a
.npy file, as `magpie export` writes it, is read from there. Both use all cores. faiss answers a spread
sample of the rows, in batches of 4,096, and its time is scaled to all: a scan takes as long for one row
as for another. The recall is that of ours against faiss' f32 answers for that sample. Prints one JSON
object: seconds (medians over the rounds), recall, and faiss' time over ours (above 1: ours is faster).
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
    import numpy as np
except ImportError as missing:
    print(json.dumps({"bench": "pairs_peers", "skipped": f"{missing}: pip install numpy faiss-cpu"}))
    sys.exit(0)

K, BATCH, SAMPLE = 10, 4096, 12288
CORES = len(os.sched_getaffinity(0))


class Ours:
    def __init__(self, program, path, rows):
        self.path, self.n = path, len(rows)
        self.process = subprocess.Popen([program, "--steps", path, str(rows.shape[1])], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def seconds(self):
        self.process.stdin.write(f"pairs {CORES}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["s"]

    def answers(self):
        return np.fromfile(self.path + ".pairs", np.int64).reshape(self.n, K)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Faiss:
    def __init__(self, rows):
        faiss.omp_set_num_threads(CORES)
        self.index = faiss.IndexFlatIP(rows.shape[1])
        self.index.add(rows)
        self.n = len(rows)
        self.asked = np.linspace(0, self.n - 1, min(self.n, SAMPLE)).astype(np.int64)
        self.queries = rows[self.asked]

    def seconds(self):
        began = time.perf_counter()
        self.found = [self.index.search(self.queries[i:i + BATCH], K + 1)[1]
                      for i in range(0, len(self.queries), BATCH)]
        return (time.perf_counter() - began) * self.n / len(self.queries)

    def answers(self):
        """Without the row itself; where copies crowd it out, without the last."""
        found = np.concatenate(self.found)
        return [[f for f in row if f != own][:K] for own, row in zip(self.asked, found.tolist())]


def rows_of(program, kind, rows, dims, path):
    if kind.endswith(".npy"):
        v = np.load(kind).astype(np.float32)
        v = v[np.linalg.norm(v, axis=1) > 0]
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        v.tofile(path)
        return v
    subprocess.run([program, "--write", path, kind, str(rows), str(dims)], check=True)
    return np.fromfile(path, np.float32).reshape(-1, dims)


def compare(program, kind, n, dims, rounds, path):
    rows = rows_of(program, kind, n, dims, path)
    ours, peer = Ours(program, path, rows), Faiss(rows)
    times = {"magpie": [], "faiss": []}
    for _ in range(rounds):
        times["magpie"].append(ours.seconds())
        times["faiss"].append(peer.seconds())
    have, want = ours.answers(), peer.answers()
    hits = sum(len(set(have[i].tolist()) & set(w)) for i, w in zip(peer.asked, want))
    ours.close()
    median = {name: statistics.median(t) for name, t in times.items()}
    return {"rows": len(rows), "dims": rows.shape[1], "recall": round(hits / sum(map(len, want)), 5),
            **{f"{name}_s": round(t, 3) for name, t in median.items()},
            **{f"{name}_least_s": round(min(t), 3) for name, t in times.items()},
            "ratio": round(median["faiss"] / median["magpie"], 2)}


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": CORES}


def main():
    defaults = ["100000", "512", "5", "clusters,falling,noise"]
    given = sys.argv[2:]
    n, dims, rounds, kinds = given + defaults[len(given):]
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds.split(","):
            report[os.path.basename(kind)] = compare(sys.argv[1], kind, int(n), int(dims),
                                                     int(rounds), os.path.join(folder, "rows"))
    print(json.dumps({"bench": "pairs_peers", "k": K, "batch": BATCH, "machine": machine(),
                      "versions": {"faiss": faiss.__version__}, "kinds": report}, indent=1))


if __name__ == "__main__":
    main()
