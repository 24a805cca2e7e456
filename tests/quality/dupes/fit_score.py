"""Fits the weights of src/core/dedup_score.c.

    quality_dupes TRUTH.csv --measures measures.csv   (copies made with another seed than the gate's)
    fit_score.py measures.csv

Logistic regression by projected gradient steps with momentum, no weight below 0, a little weight decay;
right and wrong pairs count the same in sum. Prints the offset and the weights in the order of
dedup_score.c, and what share of either kind lies above a score of 0.6.
"""
import csv
import math
import sys

import numpy as np

NAMES = ["block", "agree", "median", "ncc", "textured", "whole", "part"]


def features(row):
    near = lambda c: -math.log(max(1 - float(c), 0.01))
    return [float(row["block"]), float(row["agree"]), near(row["median"]), near(row["ncc"]),
            math.log(1 + min(float(row["textured"]), 60)), float(row["whole"]), float(row["part"])]


def fit(x, y, rounds=20000, rate=0.5, decay=1e-5):
    scale = x.std(0)
    x = x / scale
    share = np.where(y == 1, 0.5 / (y == 1).sum(), 0.5 / (y == 0).sum())
    w, offset = np.zeros(x.shape[1]), 0.0
    speed_w, speed_o = np.zeros_like(w), 0.0
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-(x @ w + offset)))
        error = share * (p - y)
        speed_w = 0.9 * speed_w - rate * (x.T @ error + decay * w)
        speed_o = 0.9 * speed_o - rate * error.sum()
        w, offset = np.maximum(w + speed_w, 0), offset + speed_o
    return w / scale, offset


def main():
    rows = [r for r in csv.DictReader(open(sys.argv[1])) if float(r["textured"]) >= 4]
    x = np.array([features(r) for r in rows])
    y = np.array([float(r["same"]) for r in rows])
    w, offset = fit(x, y)
    print(f"offset {offset:.2f}", *(f"{n} {v:.2f}" for n, v in zip(NAMES, w)))
    score = 1 / (1 + np.exp(-(x @ w + offset) / 2))
    print(f"above 0.6: {np.mean(score[y == 1] >= 0.6):.4f} of {int(y.sum())} right pairs, "
          f"{np.mean(score[y == 0] >= 0.6):.5f} of {int((1 - y).sum())} wrong ones")


if __name__ == "__main__":
    main()
