"""CLIP ViT-B/32 beside onnxruntime: the same random weights, the same threads, in turns.

    clip_peers.py PROBE [ROUNDS [OLDER_CPU]]

PROBE is probe_clip. Rows: pictures in batches of 1 and 16, on one thread and on two, f32 and 8-bit,
beside onnxruntime's f32 and its own dynamic quantisation; a text of ten tokens, in turns (whoever comes
second finds the caches full of the other's weights) and alone. With OLDER_CPU (older_cpu.so), both run as
on a processor without AVX-512 and VNNI: ours by MAGPIE_SIMD=avx2, onnxruntime by older_cpu.py. Ours starts from bytes and ends
with the normalised vector, onnxruntime from ready floats. Prints one JSON object: medians in
milliseconds per picture, onnxruntime's over ours (above 1: ours is faster), and the worst cosine
with onnxruntime's f32 vectors. Random weights have no outliers: trained ones' cosines are what
`magpie model quantize` measures.
"""
import json
import os
import statistics
import sys
import tempfile
import time

import older_cpu

try:
    if len(sys.argv) > 3:
        older_cpu.hide(sys.argv[3])
    import numpy as np
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
except ImportError as missing:
    print(json.dumps({"bench": "clip_peers", "skipped": f"{missing}: pip install numpy onnx onnxruntime"}))
    sys.exit(0)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden/clip"))
import reference  # noqa: E402
from ask import Probe, cosine  # noqa: E402

PAUSE_S = 0.05  # onnxruntime's threads spin for a while after each call
SHAPE = reference.SHAPES["b32"]


def sessions(model, folder, name, threads):
    plain, coded = os.path.join(folder, name + ".onnx"), os.path.join(folder, name + ".int8.onnx")
    if not os.path.exists(coded):
        with open(plain, "wb") as out:
            out.write(model.SerializeToString())
        quantize_dynamic(plain, coded, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return {how: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            for how, path in (("f32", plain), ("int8", coded))}


def timed(session, feed):
    start = time.perf_counter()
    session.run(None, feed)
    return (time.perf_counter() - start) * 1e3


def in_turns(ours, theirs, ask, feed, rounds):
    """Medians of milliseconds by name."""
    took = {f"magpie_{name}": [] for name in ours} | {f"onnxruntime_{name}": [] for name in theirs}
    for _ in range(rounds):
        for name, probe in ours.items():
            ask(probe, 1)
            took[f"magpie_{name}"] += ask(probe, 3)
            time.sleep(PAUSE_S)
        for name, session in theirs.items():
            timed(session, feed)
            took[f"onnxruntime_{name}"] += [timed(session, feed) for _ in range(3)]
            time.sleep(PAUSE_S)
    return {name: statistics.median(values) for name, values in took.items()}


def row(medians, n, suffix=""):
    out = {name: round(ms / n, 3) for name, ms in medians.items()}
    f32, coded = medians["magpie_f32" + suffix], medians["magpie_int8" + suffix]
    out["ratio_f32"] = round(medians["onnxruntime_f32"] / f32, 2)
    out["ratio_int8_to_f32"] = round(medians["onnxruntime_f32"] / coded, 2)
    out["ratio_int8_to_int8"] = round(medians["onnxruntime_int8"] / coded, 2)
    return out


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
    rng = np.random.default_rng(0)
    weights = reference.random_weights(SHAPE)
    px = rng.integers(0, 256, (16, 224, 224, 3)).astype(np.uint8)
    ids = rng.integers(0, SHAPE["vocabulary"], (1, 10))
    env = {"MAGPIE_SIMD": "avx2"} if len(sys.argv) > 3 else {}
    report = {"bench": "clip_peers", "onnxruntime": onnxruntime.__version__, "rounds": rounds,
              "processor": "without AVX-512" if env else "as it is"}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights")
        reference.write_safetensors(path, weights)
        see, read = reference.image_model(weights, SHAPE, True, False), reference.text_model(weights, SHAPE, 10, True, False)
        for threads in (1, 2):
            ours = {how: Probe(program, path, SHAPE, folder, precision=how, threads=threads, env=env)
                    for how in ("f32", "int8")}
            alone = {how: round(statistics.median(probe.time_texts(ids, 200)), 3) for how, probe in ours.items()}
            theirs = sessions(see, folder, "see", threads)
            x = reference.scaled(px)
            exact = theirs["f32"].run(None, {"pixels": x})[0]
            worst = lambda vectors: float(cosine(vectors, exact).min())
            rows = report[f"threads_{threads}"] = {
                "worst_cosine_f32": round(worst(ours["f32"].images(px)), 7),
                "worst_cosine_int8": round(worst(ours["int8"].images(px)), 5),
                "worst_cosine_onnxruntime_int8": round(worst(theirs["int8"].run(None, {"pixels": x})[0]), 5)}
            rows["text_10_tokens_alone_ms"] = alone
            for n in (1, 16):
                rows[f"batch_{n}"] = row(in_turns(
                    ours, theirs, lambda p, k: p.time_images(px[:n], k), {"pixels": x[:n]}, rounds), n)
            rows["text_10_tokens"] = row(in_turns(
                ours, sessions(read, folder, "read", threads), lambda p, k: p.time_texts(ids, k), {"ids": ids}, rounds), 1)
            for probe in ours.values():
                probe.close()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
