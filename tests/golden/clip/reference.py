"""CLIP as an ONNX graph, run by onnxruntime: what the C code is held against.

Written from the paper (Radford et al., arXiv 2103.00020) and the layer names of Hugging Face's
transformers, and of nothing else: it shares no line with the C code. Weights are random, from a seed.
"""
import json
import struct

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MEAN = [0.48145466, 0.4578275, 0.40821073]
DEVIATION = [0.26862954, 0.26130258, 0.27577711]
CONTEXT = 77

SHAPES = {
    "b32": dict(side=224, patch=32, image=(768, 12, 12, 3072), text=(512, 12, 8, 2048), vocabulary=49408, dims=512),
    "b16": dict(side=224, patch=16, image=(768, 12, 12, 3072), text=(512, 12, 8, 2048), vocabulary=49408, dims=512),
    "l14": dict(side=224, patch=14, image=(1024, 24, 16, 4096), text=(768, 12, 12, 3072), vocabulary=49408, dims=768),
    # B/16's rows and widths with fewer layers; L/14's layers and proportions with narrower ones.
    "b16-shallow": dict(side=224, patch=16, image=(768, 3, 12, 3072), text=(512, 2, 8, 2048), vocabulary=1000, dims=512),
    "l14-narrow": dict(side=56, patch=14, image=(256, 24, 4, 1024), text=(192, 12, 3, 768), vocabulary=1000, dims=192),
    "tiny": dict(side=48, patch=16, image=(96, 3, 3, 200), text=(64, 2, 2, 130), vocabulary=300, dims=40),
}


def random_weights(shape, seed=1):
    """Tensors by the names of transformers, about as large as trained ones are."""
    rng, out = np.random.default_rng(seed), {}

    def normal(*sides, scale):
        return rng.standard_normal(sides, dtype=np.float32) * np.float32(scale)

    def norm(name, width):
        out[name + ".weight"] = 1 + normal(width, scale=0.2)
        out[name + ".bias"] = normal(width, scale=0.1)

    def linear(name, to, of):
        out[name + ".weight"] = normal(to, of, scale=of ** -0.5)
        out[name + ".bias"] = normal(to, scale=0.1)

    def tower(name, width, layers, hidden):
        for i in range(layers):
            at = f"{name}.encoder.layers.{i}."
            norm(at + "layer_norm1", width)
            norm(at + "layer_norm2", width)
            for part in "qkv":
                linear(f"{at}self_attn.{part}_proj", width, width)
            linear(at + "self_attn.out_proj", width, width)
            linear(at + "mlp.fc1", hidden, width)
            linear(at + "mlp.fc2", width, hidden)

    width, layers, _, hidden = shape["image"]
    patch, rows = shape["patch"], (shape["side"] // shape["patch"]) ** 2 + 1
    out["vision_model.embeddings.class_embedding"] = normal(width, scale=0.5)
    out["vision_model.embeddings.patch_embedding.weight"] = normal(width, 3, patch, patch, scale=(3 * patch * patch) ** -0.5)
    out["vision_model.embeddings.position_embedding.weight"] = normal(rows, width, scale=0.2)
    norm("vision_model.pre_layrnorm", width)
    tower("vision_model", width, layers, hidden)
    norm("vision_model.post_layernorm", width)
    out["visual_projection.weight"] = normal(shape["dims"], width, scale=width ** -0.5)
    width, layers, _, hidden = shape["text"]
    out["text_model.embeddings.token_embedding.weight"] = normal(shape["vocabulary"], width, scale=0.5)
    out["text_model.embeddings.position_embedding.weight"] = normal(CONTEXT, width, scale=0.2)
    tower("text_model", width, layers, hidden)
    norm("text_model.final_layer_norm", width)
    out["text_projection.weight"] = normal(shape["dims"], width, scale=width ** -0.5)
    return out


def as_open_clip(weights):
    """The same tensors under open_clip's names: q, k and v in one, projections transposed."""
    out = {"visual.class_embedding": weights["vision_model.embeddings.class_embedding"],
           "visual.conv1.weight": weights["vision_model.embeddings.patch_embedding.weight"],
           "visual.positional_embedding": weights["vision_model.embeddings.position_embedding.weight"],
           "visual.proj": weights["visual_projection.weight"].T.copy(),
           "token_embedding.weight": weights["text_model.embeddings.token_embedding.weight"],
           "positional_embedding": weights["text_model.embeddings.position_embedding.weight"],
           "text_projection": weights["text_projection.weight"].T.copy()}
    for old, new in (("vision_model.pre_layrnorm", "visual.ln_pre"), ("vision_model.post_layernorm", "visual.ln_post"),
                     ("text_model.final_layer_norm", "ln_final")):
        for end in (".weight", ".bias"):
            out[new + end] = weights[old + end]
    parts = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj",
             "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    for tower, prefix in (("vision_model", "visual."), ("text_model", "")):
        i = 0
        while f"{tower}.encoder.layers.{i}.layer_norm1.weight" in weights:
            old, new = f"{tower}.encoder.layers.{i}.", f"{prefix}transformer.resblocks.{i}."
            for end in ("weight", "bias"):
                for a, b in parts.items():
                    out[f"{new}{b}.{end}"] = weights[f"{old}{a}.{end}"]
                out[f"{new}attn.in_proj_{end}"] = np.concatenate(
                    [weights[f"{old}self_attn.{part}_proj.{end}"] for part in "qkv"])
            i += 1
    return out


def stored(value, dtype):
    """The array as safetensors stores it: <f4, <f2, or the upper halves of <f4 (towards zero)."""
    if dtype == "BF16":
        return (np.ascontiguousarray(value, dtype="<f4").view("<u4") >> 16).astype("<u2")
    return np.ascontiguousarray(value, dtype={"F32": "<f4", "F16": "<f2"}[dtype])


def rounded(tensors, dtype):
    """What is left of the values once they are stored so."""
    if dtype == "BF16":
        return {name: (stored(v, dtype).astype("<u4") << 16).view("<f4") for name, v in tensors.items()}
    return {name: stored(v, dtype).astype(np.float32, copy=False) for name, v in tensors.items()}


def write_safetensors(path, tensors, dtype="F32"):
    header, at = {}, 0
    tensors = {name: stored(value, dtype) for name, value in tensors.items()}
    for name, value in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            out.write(value.tobytes())


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.tensors, self.count, self.outputs = weights, [], {}, 0, []

    def value(self, value, name=None):
        name = name or f"c{len(self.tensors)}"
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def weight(self, name, across=False):
        value = self.weights[name]
        return self.value(value.T if across else value, name + ("'" if across else ""))

    def add(self, kind, *inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(kind, inputs, [f"t{self.count}"], **attributes))
        return f"t{self.count}"

    def output(self, value, name, rank):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank))

    def norm(self, x, name):
        return self.add("LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"),
                        axis=-1, epsilon=1e-5)

    def linear(self, x, name):
        return self.add("Add", self.add("MatMul", x, self.weight(name + ".weight", across=True)),
                        self.weight(name + ".bias"))

    def heads(self, x, heads, depth, across=False):
        x = self.add("Reshape", x, self.value(np.array([0, 0, heads, depth], np.int64)))
        return self.add("Transpose", x, perm=[0, 2, 3, 1] if across else [0, 2, 1, 3])

    def attention(self, x, at, width, heads, mask):
        depth = width // heads
        q = self.heads(self.linear(x, at + "q_proj"), heads, depth)
        k = self.heads(self.linear(x, at + "k_proj"), heads, depth, across=True)
        v = self.heads(self.linear(x, at + "v_proj"), heads, depth)
        score = self.add("Mul", self.add("MatMul", q, k), self.value(np.float32(depth ** -0.5)))
        if mask:
            score = self.add("Add", score, mask)
        y = self.add("MatMul", self.add("Softmax", score, axis=-1), v)
        y = self.add("Transpose", y, perm=[0, 2, 1, 3])
        y = self.add("Reshape", y, self.value(np.array([0, 0, width], np.int64)))
        return self.linear(y, at + "out_proj")

    def activation(self, x, quick):
        if not quick:
            return self.add("Gelu", x, approximate="none")
        return self.add("Mul", x, self.add("Sigmoid", self.add("Mul", x, self.value(np.float32(1.702)))))

    def tower(self, x, name, sizes, quick, mask, layers_out):
        width, layers, heads, _ = sizes
        for i in range(layers):
            at = f"{name}.encoder.layers.{i}."
            x = self.add("Add", x, self.attention(self.norm(x, at + "layer_norm1"), at + "self_attn.", width, heads, mask))
            h = self.activation(self.linear(self.norm(x, at + "layer_norm2"), at + "mlp.fc1"), quick)
            x = self.add("Add", x, self.linear(h, at + "mlp.fc2"))
            if layers_out:
                self.output(x, f"layer{i + 1}", 3)
        return x

    def model(self, kind, sides, kind_type):
        graph = helper.make_graph(self.nodes, "clip", [helper.make_tensor_value_info(kind, kind_type, sides)],
                                  self.outputs, list(self.tensors.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def image_model(weights, shape, quick=True, layers_out=True):
    """pixels (n, 3, side, side), scaled and shifted -> vectors (n, dims), not normalised; layers."""
    g = Graph(weights)
    width, patch = shape["image"][0], shape["patch"]
    x = g.add("Conv", "pixels", g.weight("vision_model.embeddings.patch_embedding.weight"), strides=[patch, patch])
    x = g.add("Transpose", g.add("Reshape", x, g.value(np.array([0, width, -1], np.int64))), perm=[0, 2, 1])
    first = g.add("Reshape", g.weight("vision_model.embeddings.class_embedding"), g.value(np.array([1, 1, width], np.int64)))
    n = g.add("Shape", "pixels", start=0, end=1)
    first = g.add("Expand", first, g.add("Concat", n, g.value(np.array([1, width], np.int64)), axis=0))
    x = g.add("Add", g.add("Concat", first, x, axis=1), g.weight("vision_model.embeddings.position_embedding.weight"))
    x = g.norm(x, "vision_model.pre_layrnorm")
    if layers_out:
        g.output(x, "layer0", 3)
    x = g.tower(x, "vision_model", shape["image"], quick, None, layers_out)
    x = g.add("Gather", x, g.value(np.array(0, np.int64)), axis=1)
    x = g.add("MatMul", g.norm(x, "vision_model.post_layernorm"), g.weight("visual_projection.weight", across=True))
    g.output(x, "vectors", 2)
    return g.model("pixels", ["n", 3, shape["side"], shape["side"]], TensorProto.FLOAT)


def text_model(weights, shape, length, quick=True, layers_out=True):
    """ids (n, length), the last of which ends the text -> vectors (n, dims), not normalised; layers."""
    g = Graph(weights)
    places = weights["text_model.embeddings.position_embedding.weight"][:length]
    x = g.add("Gather", g.weight("text_model.embeddings.token_embedding.weight"), "ids")
    x = g.add("Add", x, g.value(places))
    mask = g.value(np.triu(np.full((length, length), -np.inf, np.float32), 1))
    x = g.tower(x, "text_model", shape["text"], quick, mask, layers_out)
    x = g.add("Gather", x, g.value(np.array(length - 1, np.int64)), axis=1)
    x = g.add("MatMul", g.norm(x, "text_model.final_layer_norm"), g.weight("text_projection.weight", across=True))
    g.output(x, "vectors", 2)
    return g.model("ids", ["n", length], TensorProto.INT64)


def session(model, threads=0):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def scaled(px):
    """(n, side, side, 3) bytes to what the graph reads."""
    return (((px.astype(np.float32) / 255) - np.float32(MEAN)) / np.float32(DEVIATION)).transpose(0, 3, 1, 2)
