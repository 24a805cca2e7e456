#!/usr/bin/env python3
"""The duplicates' quality gate, on the real binary: recall and precision per transform, beside floors.

    quality_dupes.py MAGPIE DATA_DIR [--originals N] [--model lite|builtin]

Makes the copies (make_transforms.py), adds them with every other clothing and grocery picture, asks for
`magpie dupes --json`, and counts a copy as found when it is in its original's group. Precision is over
all pairs that share a group. Exit codes: 0, 1 a floor is missed, 77 something is not here.
"""
import argparse
import csv
import itertools
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TURNED = {"rotate_90", "rotate_180", "mirror"}
FRAMED = {"crop_10", "crop_20", "caption", "border"}
FREE = {"crop_40", "rotate_3", "rotate_10", "watermark"}  # printed, no floor


def floor_of(transform):
    if transform in FREE:
        return None
    return 0.85 if transform in FRAMED else 0.95


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("magpie")
    parser.add_argument("data")
    parser.add_argument("--originals", type=int, default=200)
    parser.add_argument("--model", default="lite")
    args = parser.parse_args()
    try:
        import PIL  # noqa: F401
    except ImportError:
        print("Pillow is not here: skipped")
        return 77
    if not os.path.isdir(args.data):
        print("the shared pictures are not here: skipped")
        return 77
    with tempfile.TemporaryDirectory(prefix="magpie-dupes-") as temp:
        return run(args, temp)


def run(args, temp):
    copies = os.path.join(temp, "copies")
    subprocess.run([sys.executable, os.path.join(HERE, "make_transforms.py"), args.data, copies,
                    "--originals", str(args.originals)], check=True)
    with open(os.path.join(copies, "truth.csv"), newline="") as f:
        truth = {os.path.realpath(os.path.join(copies, r["path"])): (r["origin"], r["transform"])
                 for r in csv.DictReader(f)}
    env = dict(os.environ, MAGPIE_LIBRARY=os.path.join(temp, "library"), MAGPIE_DECODER=args.magpie)
    made = subprocess.run([args.magpie, "init", "--model", args.model], env=env, capture_output=True)
    if made.returncode:
        print(f"the model {args.model} is not here: skipped")
        return 77
    subprocess.run([args.magpie, "add", "--quiet", copies, os.path.join(args.data, "clothing"),
                    os.path.join(args.data, "grocery", "natural")], env=env, check=False,
                   capture_output=True)
    out = subprocess.run([args.magpie, "dupes", "--json"], env=env, check=True, capture_output=True)
    groups = json.loads(out.stdout)["groups"]
    group_of, right, wrong = {}, 0, []
    for number, group in enumerate(groups):
        paths = [os.path.realpath(m["path"]) for m in group["members"]]
        for path in paths:
            group_of[path] = number
        for a, b in itertools.combinations(paths, 2):
            if a in truth and b in truth and truth[a][0] == truth[b][0]:
                right += 1
            else:
                wrong.append((a, b))
    originals = {o: p for p, (o, t) in truth.items() if t == "original"}
    found, total, false = {}, {}, {}
    for path, (origin, transform) in truth.items():
        if transform in ("original", "distractor"):
            continue
        total[transform] = total.get(transform, 0) + 1
        hit = path in group_of and group_of.get(originals[origin]) == group_of[path]
        found[transform] = found.get(transform, 0) + hit
    for pair in wrong:
        for path in pair:
            transform = truth.get(path, ("", "distractor"))[1]
            false[transform] = false.get(transform, 0) + 1
    ok = True
    print(f"{args.originals} originals, {len(truth)} pictures, model {args.model}")
    for transform in sorted(total):
        recall, floor = found[transform] / total[transform], floor_of(transform)
        kept = found[transform]
        precision = kept / max(kept + false.get(transform, 0), 1)
        good = floor is None or recall >= floor
        ok = ok and good
        print(f"  {transform:14} recall {recall:.3f}  precision {precision:.3f}"
              + (f"  floor {floor:.2f} {'ok' if good else 'BELOW'}" if floor else ""))
    precision = right / max(right + len(wrong), 1)
    ok = ok and precision >= 0.99
    print(f"  pairs within groups: precision {precision:.4f} ({len(wrong)} wrong of "
          f"{right + len(wrong)}), floor 0.99")
    for a, b in wrong[:12]:
        print(f"    {os.path.basename(a)} with {os.path.basename(b)}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
