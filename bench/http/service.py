"""The programs that are measured: the service, nginx, the library in a process, and wrk."""
import http.client
import json
import os
import pathlib
import resource
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "correct horse battery"


def answer_of(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def pss_mb(pid):
    """What a process holds, with its share of what it shares: MB."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:")) / 1024


def children(pid):
    return [int(child) for task in os.listdir(f"/proc/{pid}/task")
            for child in open(f"/proc/{pid}/task/{task}/children").read().split()]


def cpu_of(pid):
    """Processor time in seconds, with that of children which have ended."""
    with open(f"/proc/{pid}/stat") as f:
        ticks = f.read().rsplit(")", 1)[1].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def own_cpu_s(pid=None):
    """Of a process and all below it."""
    pid = pid or os.getpid()
    try:
        return cpu_of(pid) + sum(map(own_cpu_s, children(pid)))
    except OSError:
        return 0  # it has just ended; its parent counts it


def busy_cpu_s():
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Watch:
    """How much of the machine went to others since it was made."""

    def __init__(self, cores):
        self.cores, self.began = cores, time.monotonic()
        self.busy, self.own = busy_cpu_s(), own_cpu_s()

    def others(self):
        taken = busy_cpu_s() - self.busy - (own_cpu_s() - self.own)
        return max(0.0, taken) / (time.monotonic() - self.began) / self.cores


class Service:
    """`magpie serve`, its log in a file beside the library."""

    def __init__(self, magpie, library):
        self.log = open(f"{library}.log", "ab")
        self.process = subprocess.Popen([magpie, "serve", "--library", str(library), "--port", "0", "--json",
                                         "--rate-limit", "0"],
                                        stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the service does not start; see {library}.log")
        ready = json.loads(line)
        self.port, self.setup_token = ready["port"], ready["setup_token"]
        self.library = library

    def send(self, path, body):
        status, text = answer_of(self.port, "POST", path, json.dumps(body), {"Content-Type": "application/json"})
        if status not in (200, 201):
            raise SystemExit(f"{path}: {status} {text.decode(errors='replace')}")
        return json.loads(text)

    def token(self, name):
        """Of an account of this name, which is made when the library has none."""
        who = {"username": name, "password": PASSWORD}
        if self.setup_token:
            self.send("/api/auth/setup", {**who, "username": "root", "setup_token": self.setup_token})
            self.send("/api/auth/register", who)
            self.setup_token = ""
        return self.send("/api/auth/login", who)["token"]

    def memory_mb(self):
        workers = children(self.process.pid)
        return pss_mb(self.process.pid), sum(pss_mb(p) for p in workers), len(workers)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Inside:
    """The library in a process of its own, which searches when it is asked to."""

    def __init__(self, program, library, threads, picture):
        self.process = subprocess.Popen([program, str(library), str(threads), str(picture)], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the library does not open")
        self.about = json.loads(line)

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)


class Nginx:
    """One fixed body, as many workers as cores, no log."""

    def __init__(self, program, folder, body, workers):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        folder.mkdir(exist_ok=True)
        config = folder / "nginx.conf"
        paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""daemon off; worker_processes {workers}; pid {folder}/pid; error_log stderr crit;
            events {{ worker_connections 1024; }}
            http {{ {paths} access_log off; keepalive_requests 1000000000;
                server {{ listen 127.0.0.1:{self.port};
                    location = /health {{ default_type application/json; return 200 '{body}'; }} }} }}
            """)
        self.process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
        for _ in range(100):
            try:
                if answer_of(self.port, "GET", "/health") == (200, body.encode()):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit("nginx does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def children_cpu_s():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def wrk(port, path, seconds, connections, threads, cores, **environment):
    """One run; cpu_share is what wrk itself took of all cores."""
    before, began = children_cpu_s(), time.monotonic()
    done = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "ask.lua",
                           f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True,
                          env={**os.environ, **environment})
    spent = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"wrk: {done.stdout}{done.stderr}")
    figures = json.loads(done.stdout.splitlines()[-1])
    if figures["failed"] or not figures["requests"]:
        raise SystemExit(f"wrk at {path}: {figures}")
    return {**figures, "cpu_share": round((children_cpu_s() - before) / spent / cores, 3)}
