"""The running service, for the tests that speak to it."""
import contextlib
import fcntl
import http.client
import json
import signal
import socket
import threading
import urllib.parse
import uuid

PASSWORD = "correct horse battery"


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.read()

    def getheader(self, name):
        return self.headers.get(name)

    @property
    def json(self):
        return json.loads(self.text)


class Service:
    def __init__(self, magpie, *args):
        if "--rate-limit" not in args:
            args += ("--rate-limit", "0")  # tests ask more often than people
        self.process = magpie.start("serve", "--port", 0, "--json", *args)
        with contextlib.suppress(OSError):  # the log of a few thousand requests, which nobody reads until the end
            fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, 1 << 20)
        ready = json.loads(self.process.stdout.readline())
        assert ready["event"] == "ready"
        self.port, self.setup_token = ready["port"], ready["setup_token"]
        # Somebody must read the log, or the service stands when the pipe is full.
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.tls = None  # an ssl.SSLContext, for a service that speaks HTTPS

    def ask(self, method, path, body=None, **headers):
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def send(self, path, body=None, token=None, method=None, **headers):
        """JSON in, (status, JSON) out."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self.ask(method or ("GET" if body is None else "POST"), path,
                          None if body is None else json.dumps(body), **headers)
        return answer.status, json.loads(answer.text) if answer.text else None

    def raw(self, data):
        """What comes back for these bytes, until the service closes or is silent."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it closed in the middle of too much; what it said may still be there
            try:
                while piece := s.recv(65536):
                    out += piece
            except OSError:
                pass
        return out

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.reader.join(10)
        self.process.stdout.close()
        return self.process.returncode, b"".join(self.log)

    # ---- who asks ----

    def set_up(self, name="root"):
        """The first administrator's token."""
        status, made = self.send("/api/auth/setup", {"setup_token": self.setup_token, "username": name,
                                                     "password": PASSWORD})
        assert status == 201, made
        return made["token"]

    def register(self, name):
        status, made = self.send("/api/auth/register", {"username": name, "password": PASSWORD})
        assert status == 201, made
        return made["token"]

    def login(self, name):
        status, made = self.send("/api/auth/login", {"username": name, "password": PASSWORD})
        assert status == 200, made
        return made["token"]

    # ---- pictures ----

    def upload(self, token, files, **fields):
        """files: (name, bytes) pairs, as one form."""
        boundary = uuid.uuid4().hex
        body = b""
        for name, value in fields.items():
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n').encode()
        for name, data in files:
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
                     "Content-Type: application/octet-stream\r\n\r\n").encode() + data + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        return self.ask("POST", "/api/images", body, Authorization=f"Bearer {token}",
                        Content_Type=f"multipart/form-data; boundary={boundary}")

    def put(self, url, data, type="image/jpeg", **headers):
        target = urllib.parse.urlsplit(url)
        return self.ask("PUT", f"{target.path}?{target.query}", data, Content_Type=type, **headers)

    def get(self, path, token=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.ask("GET", path, **headers)
