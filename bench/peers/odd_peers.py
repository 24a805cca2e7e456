"""Odd ones and layouts beside scikit-learn and umap-learn: the same vectors, the same machine, in turns.

    odd_peers.py BENCH_ODD [ROUNDS]

BENCH_ODD is that program. knn: scikit-learn's NearestNeighbors (brute force, cosine, 5 neighbours, all
processors). pca: its PCA. umap: umap-learn with a seed (so one thread, as ours) on neighbours found
beforehand, after a first run that compiles it. Prints one JSON object: medians in milliseconds, and the
peer's over ours (above 1: ours is faster).
"""
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

try:
    import numpy as np
    import umap
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors
except ImportError as missing:
    print(json.dumps({"bench": "odd_peers", "skipped":
                      f"{missing}: pip install numpy scikit-learn umap-learn"}))
    sys.exit(0)

warnings.filterwarnings("ignore")
DIMS, NEIGHBOURS = 512, 15


def load(bench, n):
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([bench, "--dump", f.name, str(n)], check=True)
        return np.fromfile(f.name, np.float32).reshape(n, DIMS)


def neighbours(x):
    """As umap-learn wants them: itself first."""
    found = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, metric="cosine", algorithm="brute").fit(x)
    distance, at = found.kneighbors(x)
    return at.astype(np.int32), np.maximum(distance, 0).astype(np.float32)


def peers(x):
    knn = (*neighbours(x), None)

    def run_knn():
        index = NearestNeighbors(n_neighbors=6, metric="cosine", algorithm="brute", n_jobs=-1).fit(x)
        return index.kneighbors(x)[0][:, 1:].mean(1)

    def run_umap():
        return umap.UMAP(n_neighbors=NEIGHBOURS + 1, metric="cosine", random_state=1,
                         precomputed_knn=knn, n_epochs=500 if len(x) <= 10000 else 200
                         ).fit_transform(x)

    return {"knn": run_knn, "pca": lambda: PCA(2, svd_solver="randomized", random_state=1
                                               ).fit_transform(x), "umap": run_umap}


def main():
    bench = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ours = subprocess.Popen([bench, "--steps"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)
    results = {}
    for n in (1000, 10000):
        run = peers(load(bench, n))
        run["umap"]()  # compiles
        for case, peer in run.items():
            mine, theirs = [], []
            for _ in range(rounds):
                ours.stdin.write(f"{case} {n}\n")
                ours.stdin.flush()
                mine.append(float(ours.stdout.readline()))
                began = time.perf_counter()
                peer()
                theirs.append((time.perf_counter() - began) * 1000)
            a, b = statistics.median(mine), statistics.median(theirs)
            results[f"{case}_{n}"] = {"magpie_ms": round(a, 2), "peer_ms": round(b, 2),
                                      "ratio": round(b / a, 2), "rounds": rounds}
    ours.stdin.close()
    ours.wait()
    print(json.dumps({"bench": "odd_peers", "umap_learn": umap.__version__, **results}, indent=2))


if __name__ == "__main__":
    main()
