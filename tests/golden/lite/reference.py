"""EfficientNet-Lite0 and MiniLM-L6-v2 once more, in NumPy and double precision.

Nothing here is shared with the C code: batch normalisation stays its own step, convolutions are sums
over shifted pictures, attention is written as in the papers (arXiv 1905.11946, 1810.04805), and the
token numbers come from the `tokenizers` package. It is slow and it is the measure.
"""
import json
import math
import os

import numpy as np

SIDE = 224
# output channels, kernel, stride, expansion
BLOCKS = [(16, 3, 1, 1), (24, 3, 2, 6), (24, 3, 1, 6), (40, 5, 2, 6), (40, 5, 1, 6), (80, 3, 2, 6),
          (80, 3, 1, 6), (80, 3, 1, 6), (112, 5, 1, 6), (112, 5, 1, 6), (112, 5, 1, 6),
          (192, 5, 2, 6), (192, 5, 1, 6), (192, 5, 1, 6), (192, 5, 1, 6), (320, 3, 1, 6)]


def read_safetensors(path):
    with open(path, "rb") as f:
        data = f.read()
    n = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    out = {}
    for name, row in header.items():
        assert row["dtype"] in ("F32", "I64"), name
        kind = "<f4" if row["dtype"] == "F32" else "<i8"
        begin, end = row["data_offsets"]
        out[name] = np.frombuffer(data[8 + n + begin:8 + n + end], kind).reshape(row["shape"])
    return out


def write_safetensors(path, tensors):
    """f32, in the order given."""
    header, at, parts = {}, 0, []
    for name, value in tensors.items():
        bytes_ = np.ascontiguousarray(value, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(value)),
                        "data_offsets": [at, at + len(bytes_)]}
        at += len(bytes_)
        parts.append(bytes_)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for part in parts:
            f.write(part)
    os.replace(path + ".part", path)


# ---- EfficientNet-Lite0 ----

def same_padding(x, kernel, stride):
    """TensorFlow's SAME: the larger half of what is missing goes after."""
    missing = [max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in x.shape[1:]]
    return np.pad(x, [(0, 0)] + [(m // 2, m - m // 2) for m in missing])


def convolve(x, weight, stride, depthwise):
    """x: channels x height x width; a sum over the kernel's places."""
    kernel = weight.shape[-1]
    height, width = (math.ceil(n / stride) for n in x.shape[1:])
    padded = same_padding(x, kernel, stride)
    out = np.zeros((weight.shape[0], height, width))
    for dy in range(kernel):
        for dx in range(kernel):
            seen = padded[:, dy:dy + (height - 1) * stride + 1:stride,
                          dx:dx + (width - 1) * stride + 1:stride]
            if depthwise:
                out += weight[:, 0, dy, dx][:, None, None] * seen
            else:
                out += np.tensordot(weight[:, :, dy, dx], seen, 1)
    return out


class EfficientNet:
    def __init__(self, path):
        self.weights = {k: v.astype(np.float64) for k, v in read_safetensors(path).items()}

    def normalise(self, x, name):
        w = self.weights
        column = lambda part: w[f"{name}.{part}"][:, None, None]
        return ((x - column("running_mean")) / np.sqrt(column("running_var") + 1e-3) *
                column("weight") + column("bias"))

    def layers(self, x):
        """Yields every layer's output, as (what, tensor)."""
        step = lambda x, conv, norm, stride=1, depthwise=False: self.normalise(
            convolve(x, self.weights[f"{conv}.weight"], stride, depthwise), norm)
        relu6 = lambda x: np.clip(x, 0, 6)
        x = relu6(step(x, "_conv_stem", "_bn0", 2))
        yield "stem", x
        for i, (out, _, stride, expand) in enumerate(BLOCKS):
            name, before = f"_blocks.{i}.", x
            if expand != 1:
                x = relu6(step(x, name + "_expand_conv", name + "_bn0"))
                yield f"block {i} expand", x
            x = relu6(step(x, name + "_depthwise_conv", name + "_bn1", stride, True))
            yield f"block {i} depthwise", x
            x = step(x, name + "_project_conv", name + "_bn2")
            if stride == 1 and before.shape[0] == out:
                x = x + before
            yield f"block {i} project", x
        yield "head", relu6(step(x, "_conv_head", "_bn1"))

    def logits(self, pooled):
        return self.weights["_fc.weight"] @ pooled + self.weights["_fc.bias"]


def scaled(pixels):
    """Rows x columns x RGB bytes to the planar input."""
    return (pixels.astype(np.float64).transpose(2, 0, 1) - 127) / 128


# ---- MiniLM ----

ERF = np.vectorize(math.erf, otypes=[np.float64])


class MiniLM:
    LAYERS, HEADS, EPS = 6, 12, 1e-12

    def __init__(self, path):
        self.weights = {k: v.astype(np.float64) for k, v in read_safetensors(path).items()
                        if v.dtype == np.float32}

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred ** 2).mean(-1, keepdims=True) + self.EPS)
        return centred / deviation * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def layers(self, ids):
        """Yields the embedding and every layer's output, tokens x 384."""
        w = self.weights
        x = (w["embeddings.word_embeddings.weight"][ids] +
             w["embeddings.position_embeddings.weight"][:len(ids)] +
             w["embeddings.token_type_embeddings.weight"][0])
        x = self.norm(x, "embeddings.LayerNorm")
        yield "embedding", x
        for i in range(self.LAYERS):
            name = f"encoder.layer.{i}."
            heads = lambda part: self.linear(x, f"{name}attention.self.{part}").reshape(
                len(ids), self.HEADS, -1).transpose(1, 0, 2)
            q, k, v = heads("query"), heads("key"), heads("value")
            score = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
            score = np.exp(score - score.max(-1, keepdims=True))
            score /= score.sum(-1, keepdims=True)
            seen = (score @ v).transpose(1, 0, 2).reshape(len(ids), -1)
            x = self.norm(x + self.linear(seen, name + "attention.output.dense"),
                          name + "attention.output.LayerNorm")
            wide = self.linear(x, name + "intermediate.dense")
            wide = wide * 0.5 * (1 + ERF(wide / math.sqrt(2)))
            x = self.norm(x + self.linear(wide, name + "output.dense"), name + "output.LayerNorm")
            yield f"layer {i}", x

    def encode(self, ids):
        *_, (_, x) = self.layers(ids)
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)
