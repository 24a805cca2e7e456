"""A hub of models for tests: a local HTTP server that serves small files, misbehaves as it is told and counts
what it sends."""
import array
import hashlib
import http.server
import json
import math
import random
import select
import socket
import socketserver
import struct
import threading
import time

TOWER = {"width": 32, "layers": 1, "heads": 2, "hidden": 16}
SHAPE = {"side": 32, "patch": 16, "vocabulary": 515, "dims": 8, "image": TOWER, "text": TOWER,
         "activation": "gelu", "mean": [0.5, 0.5, 0.5], "deviation": [0.25, 0.25, 0.25]}
MERGES = "bpe_simple_vocab_16e6.txt"  # the tokenizer's one file; with 256 bytes twice and two markers one merge makes 515
WEIGHTS_BYTES = 400_000


def tensors():
    """The shapes of SHAPE's tensors, by the names of transformers."""
    width, hidden, dims = TOWER["width"], TOWER["hidden"], SHAPE["dims"]
    out = {"vision_model.embeddings.class_embedding": (width,),
           "vision_model.embeddings.patch_embedding.weight": (width, 3, SHAPE["patch"], SHAPE["patch"]),
           "vision_model.embeddings.position_embedding.weight": ((SHAPE["side"] // SHAPE["patch"]) ** 2 + 1, width),
           "visual_projection.weight": (dims, width), "text_projection.weight": (dims, width),
           "text_model.embeddings.token_embedding.weight": (SHAPE["vocabulary"], width),
           "text_model.embeddings.position_embedding.weight": (77, width)}
    norms = ["vision_model.pre_layrnorm", "vision_model.post_layernorm", "text_model.final_layer_norm"]
    for tower in ("vision_model.encoder.layers.0.", "text_model.encoder.layers.0."):
        norms += [tower + "layer_norm1", tower + "layer_norm2"]
        for name, rows, columns in [(f"self_attn.{part}_proj", width, width) for part in ("q", "k", "v", "out")] + \
                [("mlp.fc1", hidden, width), ("mlp.fc2", width, hidden)]:
            out.update({f"{tower}{name}.weight": (rows, columns), f"{tower}{name}.bias": (rows,)})
    for name in norms:
        out.update({name + ".weight": (width,), name + ".bias": (width,)})
    return out


def weights(seed):
    """Random ones that can be computed with, as safetensors; what the model leaves of the size is another tensor."""
    room, header, at = 8192, {}, 0
    whole = WEIGHTS_BYTES - 8 - room
    shapes = tensors()
    shapes["unused"] = (whole // 4 - sum(math.prod(shape) for shape in shapes.values()),)
    for name, shape in shapes.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * math.prod(shape)]}
        at += 4 * math.prod(shape)
    rng = random.Random(seed)
    values = array.array("f", (rng.uniform(-0.3, 0.3) for _ in range(whole // 4)))
    return struct.pack("<Q", room) + json.dumps(header).encode().ljust(room) + values.tobytes()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.serve(False)

    def do_GET(self):
        self.serve(True)

    def do_CONNECT(self):
        hub = self.server.hub
        with hub.lock:
            hub.asked.append((self.command, self.path, None, None))
        self.status(hub.connects)
        self.close_connection = True

    def serve(self, body):
        hub = self.server.hub
        with hub.lock:
            hub.asked.append((self.command, self.path, self.headers.get("Range"), self.headers.get("If-Range")))
            act = hub.script.pop(0) if body and hub.script else None
        path = self.path
        if path.startswith("http://"):
            path = "/" + path.split("/", 3)[3]
        if hub.prefix and path.startswith(hub.prefix):
            path = path[len(hub.prefix):]
        with hub.lock:
            hub.busy += 1
        try:
            if act:
                act(self, path)
            else:
                self.answer(path, body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with hub.lock:
                hub.busy -= 1

    def answer(self, path, body=True, data=None, ranges=True, length=None, most=None, rate=None):
        """Serves a file: with data in its place, a lie about its length, only its first `most` bytes, slowly."""
        hub = self.server.hub
        data = hub.files.get(path) if data is None else data
        if path in hub.redirects:
            return self.status(302, Location=hub.redirects[path], **hub.facts.get(path, {}))
        if data is None:
            return self.status(404)
        tag = f'"{sha256(data)[:16]}"'
        start, asked = 0, self.headers.get("Range")
        if asked and ranges and self.headers.get("If-Range", tag) == tag:
            start = int(asked[len("bytes="):].rstrip("-"))
            if start >= len(data):
                return self.status(416, **{"Content-Range": f"bytes */{len(data)}"})
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start if length is None else length))
        if hub.tags:
            self.send_header("ETag", tag)
        for name, value in hub.facts.get(path, {}).items():
            self.send_header(name, value)
        self.end_headers()
        if not body:
            return
        rest = data[start:] if most is None else data[start:start + most]
        step = len(rest) if rate is None else max(1, rate // 20)
        for at in range(0, len(rest), step or 1):
            self.wfile.write(rest[at:at + step])
            self.wfile.flush()
            with hub.lock:
                hub.sent += len(rest[at:at + step])
            if rate:
                time.sleep(0.05)
        if most is not None or length is not None:
            self.close_connection = True

    def status(self, code, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Proxy:
    """A proxy that speaks nothing but CONNECT. Whatever host it is asked for, it leads to `port` of this machine, or
    answers with `status` instead."""

    def __init__(self, port=None, status=200):
        self.port, self.status, self.asked = port, status, []  # asked: (request line, headers)
        proxy = self

        class Tunnel(socketserver.StreamRequestHandler):
            def handle(self):
                line = self.rfile.readline().decode().strip()
                headers = {}
                while field := self.rfile.readline().decode().strip():
                    name, value = field.split(":", 1)
                    headers[name.lower()] = value.strip()
                proxy.asked.append((line, headers))
                if not line.startswith("CONNECT ") or proxy.status != 200:
                    self.wfile.write(f"HTTP/1.1 {proxy.status} No\r\nContent-Length: 0\r\n\r\n".encode())
                    return
                with socket.create_connection(("127.0.0.1", proxy.port)) as far:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    ends = {self.connection: far, far: self.connection}
                    while True:
                        for end in select.select(list(ends), [], [])[0]:
                            data = end.recv(65536)
                            if not data:
                                return
                            ends[end].sendall(data)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # somebody hung up

        self.server = Server(("127.0.0.1", 0), Tunnel)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Hub:
    def __init__(self, tls=None):
        self.files, self.redirects, self.facts = {}, {}, {}
        self.connects = 403  # what it answers as a proxy that is to connect
        self.script = []  # what the next GETs do instead of answering: called with the handler and the path
        self.asked, self.sent, self.busy, self.tags, self.prefix = [], 0, 0, True, ""
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.hub = self
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def counted(self):
        """The bytes that were sent, once every answer has ended, those too whose askers are gone."""
        for _ in range(2000):
            with self.lock:
                if not self.busy:
                    return self.sent
            time.sleep(0.01)
        raise AssertionError("an answer does not end")

    def count_anew(self):
        self.counted()
        self.sent = 0

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def gets(self, name=""):
        return [one for one in self.asked if one[0] == "GET" and name in one[1]]

    def model(self, folder, weights, merges=b"#version: 0.2\na b\n", id="small", pinned=True, **more):
        """Puts a small model on the hub; its manifest's path."""
        rows = []
        for name, data in (("model.safetensors", weights), (MERGES, merges)):
            path = f"maker/small/resolve/r1/{name}"
            self.files["/" + path] = data
            row = {"name": name, "path": path}
            if pinned:
                row.update(bytes=len(data), sha256=sha256(data))
            rows.append(row)
        manifest = {"magpie_model": 1, "id": id, "family": "clip", "about": "a small one", "licence": "MIT",
                    "source": {"repository": "maker/small", "revision": "r1"}, "files": rows, "architecture": SHAPE,
                    "weights": "model.safetensors", "tokenizer": {"merges": MERGES}, **more}
        path = folder / f"{id}.json"
        path.write_text(json.dumps(manifest))
        return path
