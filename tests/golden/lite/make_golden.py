"""Writes what test_lite_golden.c compares the C code with, made by reference.py and `tokenizers`.

    make_golden.py MODEL_FOLDER OUT_FOLDER

golden.safetensors: inputs, a sample of every layer's output, token numbers, every token after every
layer, sentence vectors. tokens.txt: one text per line, as hex of its UTF-8, a tab, its token numbers.
Exit code 77 (skipped) when the model or a Python package is missing.
"""
import os
import random
import sys
import unicodedata

try:
    import numpy as np
    from tokenizers import BertWordPieceTokenizer
except ImportError as missing:
    print(f"skipped: {missing}; pip install numpy tokenizers")
    sys.exit(77)

import reference

MOST = 20000  # values kept of one layer; a prime step reaches every channel and place
TEXTS = [
    "This is an example sentence",
    "a photo of a crane, a long-legged bird",
    "x",
    "Crème brûlée, Ångström — naïve façade; 東京タワー 2024!",
    "word " * 400,  # cut at 256 tokens
]


def prime_from(n):
    while any(n % k == 0 for k in range(2, int(n ** 0.5) + 1)):
        n += 1
    return n


def pictures(rng):
    """Noise, a soft gradient with a bright shape, and flat black."""
    yield rng.integers(0, 256, (224, 224, 3))
    y, x = np.mgrid[0:224, 0:224]
    soft = np.stack([x, y, (x + y) / 2], 2) * 255 / 223
    soft[(x - 90) ** 2 + (y - 120) ** 2 < 2500] = (250, 220, 40)
    yield soft.astype(np.int64)
    yield np.zeros((224, 224, 3), np.int64)


def image_tensors(folder, out):
    net = reference.EfficientNet(os.path.join(folder, "image.safetensors"))
    pooled, root = [], []
    for p, px in enumerate(pictures(np.random.default_rng(7))):
        out[f"picture{p}.input"] = reference.scaled(px).transpose(1, 2, 0)
        for i, (_, x) in enumerate(net.layers(reference.scaled(px))):
            flat = x.transpose(1, 2, 0).ravel()
            step = prime_from(max(len(flat) // MOST, 1)) if len(flat) > MOST else 1
            kept = flat[::step]
            out[f"picture{p}.layer{i}"] = kept
            out[f"picture{p}.layer{i}.shape"] = np.array(
                [x.shape[0], x.shape[1], step, np.abs(flat).max()])
        pooled.append(x.mean((1, 2)))
        logits = net.logits(pooled[-1])
        p_class = np.exp(logits - logits.max())
        root.append(np.sqrt(p_class / p_class.sum()))
    # The projections' signs are free: what must agree is how the vectors relate.
    rows = net.weights["_fc.weight"]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    left, _, right = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    for name, vectors in (("look", pooled @ right[:512].T), ("word", root @ left[:, :512])):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        out[name + ".cosines"] = vectors @ vectors.T


def text_tensors(folder, tokenizer, out):
    net = reference.MiniLM(os.path.join(folder, "text.safetensors"))
    for t, text in enumerate(TEXTS):
        ids = tokenizer.encode(text).ids
        out[f"text{t}.ids"] = np.array(ids)
        short = len(ids) <= 64
        for i, (_, x) in enumerate(net.layers(ids)):
            if short:
                out[f"text{t}.layer{i}"] = x
        mean = x.mean(0)
        out[f"text{t}.vector"] = mean / np.linalg.norm(mean)


def strings(rng):
    # `tokenizers` has Unicode 8's tables; glib has newer ones, of the system's age. What both know is
    # what Unicode 3.2 knew and has never been put into another category since.
    old = unicodedata.ucd_3_2_0.category
    known = [c for c in range(0x20, 0x30000) if old(chr(c)) == unicodedata.category(chr(c)) and
             old(chr(c)) not in ("Cn", "Cs", "Co")]
    words = "Running don't café naïve Ελλάδα ΟΔΟΣ straße İstanbul ﬁne ½ Ⅷ 北京 한국어 ภาษาไทย हिन्दी " \
            "العربية עברית русский ЙОД e\u0301 a\u030a\u0323 o\u200dk 👩\u200d👩\u200d👧 🇩🇪 ☃ … “q” ‘s’ — x_y a.b@c.de " \
            "http://x.org/?q=1 C++ #tag $5 ^ ` ~ [CLS] [MASK] ##ing".split()
    fixed = ["", " ", "\t\n\r", "a\u00a0b", "a\u2028b\u2029c", "a\u0085b", "soft\u00adhyphen", "a\u200bb", "\ufeffbom",
             "\ufffd", "\u3000wide", "x" * 100, "x" * 101, "é" * 101, "un" * 60, "a\x00b\x07c\x7fd",
             "\ue000private", "\u1e9e", "\u0130\u0131", "\u03a3\u03c3\u03c2", "\u1100\u1161\u11a8 각", "が か\u3099"]
    yield from (s for s in fixed if s.strip("\x00"))
    for c in known[:0x3000]:  # every character of the first planes' scripts, inside a word
        yield f"a{chr(c)}b {chr(c)}"
    for c in rng.sample(known[0x3000:], 1500):
        yield f"a{chr(c)}b {chr(c)}"
    for _ in range(1500):
        yield " ".join(rng.choices(words, k=rng.randint(1, 12)))
    for _ in range(500):
        yield "".join(chr(rng.choice(known)) for _ in range(rng.randint(1, 30)))


def main():
    folder, to = sys.argv[1], sys.argv[2]
    if not os.path.exists(os.path.join(folder, "manifest.json")):
        print(f"skipped: the lite model is not in {folder}")
        return 77
    os.makedirs(to, exist_ok=True)
    tokenizer = BertWordPieceTokenizer(os.path.join(folder, "vocab.txt"))
    tokenizer.enable_truncation(256)
    out = {}
    image_tensors(folder, out)
    text_tensors(folder, tokenizer, out)
    # Special tokens in a text are words for us: an untrusted title must not end a sentence.
    plain = BertWordPieceTokenizer(os.path.join(folder, "vocab.txt"))
    plain.enable_truncation(256)
    with open(os.path.join(to, "tokens.txt"), "w") as f:
        for text in strings(random.Random(5)):
            if not any(s in text for s in ("[CLS]", "[MASK]")):
                f.write(text.encode().hex() + "\t" +
                        " ".join(map(str, plain.encode(text).ids)) + "\n")
    reference.write_safetensors(os.path.join(to, "golden.safetensors"), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
