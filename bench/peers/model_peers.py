"""The lite model beside onnxruntime: the same weights, the same machine, in turns; ours in f32 and
with 8-bit products, onnxruntime in f32.

    model_peers.py BENCH_ENCODE [ROUNDS [OLDER_CPU]]

BENCH_ENCODE is that program; $MAGPIE_MODELS names the folder that holds `lite`. With OLDER_CPU
(older_cpu.so), both run as on a processor without AVX-512 and VNNI (older_cpu.py). Both graphs are
written out by hand here (batch normalisation folded, as onnxruntime would do). onnxruntime gets ready
floats and gives pooled features; ours starts from bytes and ends with the projected, normalised
vector. Prints one JSON object: medians in milliseconds per call, and onnxruntime's over ours (above
1: ours is faster), and how far the vectors of both are apart.
"""
import json
import os
import statistics
import subprocess
import sys
import time

import older_cpu

try:
    if len(sys.argv) > 3:
        older_cpu.hide(sys.argv[3])
        os.environ["MAGPIE_SIMD"] = "avx2"
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import BertWordPieceTokenizer
except ImportError as missing:
    print(json.dumps({"bench": "model_peers", "skipped":
                      f"{missing}: pip install numpy onnx onnxruntime tokenizers"}))
    sys.exit(0)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../tests/golden/lite"))
from reference import BLOCKS, read_safetensors  # noqa: E402

SENTENCES = [
    "a pair of red running shoes on a wooden floor in the morning sun",  # 16 tokens
    "whole milk, one litre",
    "golden delicious apple",
    "an old stone bridge over a quiet river in autumn",
    "The juice is pressed from ripe oranges and holds no added sugar; keep it cold once open.",
    "children's long-sleeved shirt, blue, cotton",
    "sunset",
    "Two people walk along the beach with a dog while the tide goes out behind them.",
]


# onnxruntime's threads spin for a while after each call: they would take a core from whoever is next.
PAUSE_S = 0.05


class Graph:
    def __init__(self):
        self.nodes, self.tensors, self.count = [], [], 0

    def constant(self, value):
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"t{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def session(self, inputs, output, threads):
        self.nodes[-1].output[0] = output[0]
        make = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, "lite", [make(*i) for i in inputs], [make(*output)],
                                  self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                            providers=["CPUExecutionProvider"])


def image_session(path, threads):
    w, g = read_safetensors(path), Graph()

    def layer(x, conv, norm, stride=1, relu6=True, side=None):
        scale = w[norm + ".weight"] / np.sqrt(w[norm + ".running_var"] + 1e-3)
        weight = (w[conv + ".weight"] * scale[:, None, None, None]).astype(np.float32)
        bias = (w[norm + ".bias"] - w[norm + ".running_mean"] * scale).astype(np.float32)
        kernel = weight.shape[-1]
        missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads = [missing // 2] * 2 + [missing - missing // 2] * 2
        x = g.add("Conv", x, g.constant(weight), g.constant(bias), strides=[stride, stride],
                  pads=pads, kernel_shape=[kernel, kernel],
                  group=weight.shape[0] if weight.shape[1] == 1 else 1)
        return g.add("Clip", x, zero, six) if relu6 else x

    zero, six = g.constant(np.float32(0)), g.constant(np.float32(6))
    x, side, width = layer("x", "_conv_stem", "_bn0", 2, side=224), 112, 32
    for i, (out, _, stride, expand) in enumerate(BLOCKS):
        name, before = f"_blocks.{i}.", x
        if expand != 1:
            x = layer(x, name + "_expand_conv", name + "_bn0", side=side)
        x = layer(x, name + "_depthwise_conv", name + "_bn1", stride, side=side)
        side = -(-side // stride)
        x = layer(x, name + "_project_conv", name + "_bn2", relu6=False, side=side)
        if stride == 1 and width == out:
            x = g.add("Add", x, before)
        width = out
    x = layer(x, "_conv_head", "_bn1", side=side)
    g.add("Flatten", g.add("GlobalAveragePool", x))
    return g.session([("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
                     ("y", TensorProto.FLOAT, ["n", 1280]), threads)


def text_session(path, threads):
    """ids and mask (batch x tokens, padded) to unit vectors."""
    w, g = read_safetensors(path), Graph()
    tensor = lambda name: g.constant(w[name])
    linear = lambda x, name: g.add("Add", g.add("MatMul", x, g.constant(w[name + ".weight"].T)),
                                   tensor(name + ".bias"))
    norm = lambda x, name: g.add("LayerNormalization", x, tensor(name + ".weight"),
                                 tensor(name + ".bias"), axis=-1, epsilon=1e-12)
    ints = lambda *v: g.constant(np.array(v, np.int64))

    def heads(x, name, order):
        x = g.add("Reshape", linear(x, name), ints(0, 0, 12, 32))
        return g.add("Transpose", x, perm=order)

    tokens = g.add("Shape", "ids", start=1, end=2)
    places = g.add("Slice", tensor("embeddings.position_embeddings.weight"), ints(0), tokens,
                   ints(0))
    x = g.add("Gather", tensor("embeddings.word_embeddings.weight"), "ids")
    x = g.add("Add", g.add("Add", x, places),
              g.constant(w["embeddings.token_type_embeddings.weight"][0]))
    x = norm(x, "embeddings.LayerNorm")
    away = g.add("Mul", g.add("Sub", g.constant(np.float32(1)), "mask"),
                 g.constant(np.float32(-1e4)))
    away = g.add("Unsqueeze", away, ints(1, 2))
    for i in range(6):
        name = f"encoder.layer.{i}."
        q = heads(x, name + "attention.self.query", [0, 2, 1, 3])
        k = heads(x, name + "attention.self.key", [0, 2, 3, 1])
        v = heads(x, name + "attention.self.value", [0, 2, 1, 3])
        score = g.add("Div", g.add("MatMul", q, k), g.constant(np.float32(32 ** 0.5)))
        score = g.add("Softmax", g.add("Add", score, away), axis=-1)
        seen = g.add("Transpose", g.add("MatMul", score, v), perm=[0, 2, 1, 3])
        seen = g.add("Reshape", seen, ints(0, 0, 384))
        x = norm(g.add("Add", x, linear(seen, name + "attention.output.dense")),
                 name + "attention.output.LayerNorm")
        wide = g.add("Gelu", linear(x, name + "intermediate.dense"))
        x = norm(g.add("Add", x, linear(wide, name + "output.dense")), name + "output.LayerNorm")
    weight = g.add("Unsqueeze", "mask", ints(2))
    x = g.add("ReduceSum", g.add("Mul", x, weight), ints(1), keepdims=0)
    g.add("LpNormalization", x, axis=-1, p=2)
    return g.session([("ids", TensorProto.INT64, ["n", "t"]),
                      ("mask", TensorProto.FLOAT, ["n", "t"])],
                     ("y", TensorProto.FLOAT, ["n", 384]), threads)


def padded(tokenizer, texts):
    rows = [tokenizer.encode(t).ids for t in texts]
    longest = max(map(len, rows))
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.float32)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
    return {"ids": ids, "mask": mask}


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40
    folder = os.path.join(os.environ["MAGPIE_MODELS"], "lite")
    steps = {how: subprocess.Popen([program, "--steps"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env={**os.environ, "MAGPIE_PRECISION": how})
             for how in ("f32", "int8")}

    def ours(how, what, batch, threads):
        steps[how].stdin.write(f"lite {what} {batch} {threads}\n")
        steps[how].stdin.flush()
        return float(steps[how].stdout.readline())

    tokenizer = BertWordPieceTokenizer(os.path.join(folder, "vocab.txt"))
    rng, cases = np.random.default_rng(1), []
    cores = len(os.sched_getaffinity(0))
    for threads in sorted({1, cores}):
        image = image_session(os.path.join(folder, "image.safetensors"), threads)
        text = text_session(os.path.join(folder, "text.safetensors"), threads)
        for batch in (1, 8):
            feed = {"x": rng.standard_normal((batch, 3, 224, 224), np.float32)}
            cases.append(("look", batch, threads, image, feed))
        for batch in (1, 32):
            feed = padded(tokenizer, (SENTENCES * 4)[:batch])
            cases.append(("sentence", batch, threads, text, feed))
    times = [({"f32": [], "int8": []}, []) for _ in cases]
    for r in range(-3, rounds):
        for (what, batch, threads, session, feed), (mine, theirs) in zip(cases, times):
            time.sleep(PAUSE_S)
            a = {how: ours(how, what, batch, threads) for how in steps}
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            session.run(None, feed)
            b = (time.perf_counter() - start) * 1e3
            if r >= 0:
                for how in a:
                    mine[how].append(a[how])
                theirs.append(b)
    for process in steps.values():
        process.stdin.close()
    rows = []
    for (what, batch, threads, _, _), (mine, theirs) in zip(cases, times):
        f32, coded, b = (statistics.median(v) for v in (mine["f32"], mine["int8"], theirs))
        rows.append({"what": what, "batch": batch, "threads": threads, "magpie_f32_ms": round(f32, 3),
                     "magpie_int8_ms": round(coded, 3), "onnxruntime_ms": round(b, 3),
                     "ratio_f32": round(b / f32, 3), "ratio_int8": round(b / coded, 3)})
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown")
    print(json.dumps({"bench": "model_peers", "machine": {"cpu": cpu, "cores": cores},
                      "onnxruntime": onnxruntime.__version__, "rounds": rounds,
                      "processor": "without AVX-512" if len(sys.argv) > 3 else "as it is", "cases": rows},
                     indent=1))


if __name__ == "__main__":
    main()
