"""The configuration of services: flags, variables, names that others use, the file; what is wrong with them, and
that no secret is shown."""
import json
import os
import random
import re
import subprocess
import tomllib

import pytest
from conftest import BINARY, ROOT, Magpie, picture
from service import PASSWORD, Service

SERVICES = ("serve", "worker", "embed")
SECRET = "s3cret-of-the-configuration-that-nobody-sees"


@pytest.fixture
def bare(tmp_path):
    """No library, and none is to be made."""
    m = Magpie(tmp_path)
    del m.env["MAGPIE_DECODER"], m.env["MAGPIE_MODELS"]
    yield m


def config(magpie, *args, service="serve"):
    """What holds, as the file would have it."""
    return tomllib.loads(magpie.run(service, "--print-config", *args).stdout.decode())


def write(tmp_path, text, name="magpie.toml"):
    file = tmp_path / name
    file.write_text(text) if isinstance(text, str) else file.write_bytes(text)
    file.chmod(0o600)
    return file


# ---- all rows, from the file to fill in ----

UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, " bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "": 1}


class Row:
    def __init__(self, table, help, name, default):
        self.table, self.name, self.default = table, name, default
        self.help = " ".join(help)
        self.env = "MAGPIE_" + name.upper().replace("-", "_")
        found = re.search(r"Allowed: ([^.]*(?:\.\d+)?) to (.*?)\.(?: |$)", self.help)
        self.bounds = found and found.groups()
        found = re.search(r"One of (\S+)\.", self.help)
        self.choices = found and found[1].split("|")

    def bad(self):
        """Values that are wrong, and the range that is told."""
        if self.choices:
            return ["nonsense", "", self.choices[0].upper(), "|".join(self.choices)], ", ".join(self.choices)
        told = " to ".join(self.bounds)
        (low, unit), (high, above) = (re.fullmatch(r"(-?[\d.]+)(.*)", b).groups() for b in self.bounds)
        low, high = float(low) * UNITS[unit], float(high) * UNITS[above]
        ms = "ms" if unit in ("ms", "s", "min", "h") else ""
        return [f"{low - 1:.0f}{ms}", f"{high + 1:.0f}{ms}", "nonsense", "1 parsec", "nan"], told


def rows(service):
    """The settings and the options of a service that have bounds."""
    table, help, found = "", [], []
    for line in (ROOT / "magpie.example.toml").read_text().splitlines():
        if line.startswith("# "):
            help.append(line[2:])
        elif line.startswith("#"):
            name, default = line[1:].split(" = ", 1)
            found.append(Row(table, help, name, default))
            help = []
        else:
            table = line.strip("[]") or table
            help = []
    assert len(found) > 50
    return [r for r in found if r.table in ("", service) and (r.bounds or r.choices)]


def test_the_table_has_its_bounds():
    """Nothing below is left out by a pattern that does not fit any more."""
    names = {r.name for r in rows("serve")}
    assert names >= {"threads", "lock-wait", "max-bytes", "color", "port", "rate-limit", "registration", "jwt-expiry",
                     "drain", "idle", "job-threads", "keep", "http-threads", "rate-burst", "max-pixels", "jwt-secret"}
    for r in rows("serve"):  # a number as default needs bounds
        assert r.bounds or not re.fullmatch(r"[\d.]+", r.default)


@pytest.mark.parametrize("place", ["flag", "variable", "file"])
@pytest.mark.parametrize("service", SERVICES)
def test_bad_values_stop_the_start(bare, tmp_path, service, place):
    tried = 0
    for row in rows(service):
        if row.name == "jwt-secret":  # texts have other faults
            continue
        values, told = row.bad()
        for value in values:
            args, env = [], {}
            if place == "flag":
                args, said = [f"--{row.name}={value}"], f"--{row.name}: "
            elif place == "variable":
                if not value:  # that is none
                    continue
                env, said = {row.env: value}, f"{row.env}: "
            else:
                number = re.fullmatch(r"-?\d+", value) is not None
                head = f"[{row.table}]\n" if row.table else "\n"
                line = f"{row.name} = {value if number else json.dumps(value)}\n"
                args = ["--config", write(tmp_path, f"# one\n{head}{line}", "bad.toml")]
                said = f"bad.toml:3: {row.name}: "
            done = subprocess.run([BINARY, service, "--port=0", *map(str, args)] if service != "worker" and
                                  row.name != "port" else [BINARY, service, *map(str, args)],
                                  env={**bare.env, **env}, capture_output=True, timeout=60)
            text = done.stderr.decode()
            assert done.returncode == 2, (row.name, value, done)
            assert said in text and f"allowed: {told}" in text, (row.name, value, text)
            assert not done.stdout and text.count("\n") <= 2 and not bare.library.exists()
            tried += 1
    assert tried > 40


def test_what_has_a_shape_of_its_own(bare, tmp_path):
    """Before a library is made, too, and with the name of where it stood."""
    for name, value, words in (("address", "localhost", "not a numeric address; one looks like 127.0.0.1"),
                               ("cors", "example.org", "not an origin; one looks like https://example.org"),
                               ("trusted-proxy", "10.0.0.0/33", "no address and no network"),
                               ("otlp-endpoint", "localhost:4318", "no such address; allowed: http://, https://"),
                               ("smtp-url", "http://mail", "no such address; allowed: smtp://, smtps://"),
                               ("jwt-secret", "x" * 31, "too short; allowed: 32 bytes to 4096 bytes")):
        variable = "MAGPIE_" + name.upper().replace("-", "_")
        table = "" if name in ("smtp-url", "jwt-secret") else "[serve]"
        file = write(tmp_path, f"{table}\n{name} = '{value}'")
        for args, env, said in (([f"--{name}", value], {}, f"--{name}: "), ([], {variable: value}, f"{variable}: "),
                                (["--config", str(file)], {}, f"magpie.toml:2: {name}: ")):
            done = subprocess.run([BINARY, "serve", *args], env={**bare.env, **env}, capture_output=True, timeout=60)
            assert done.returncode == 2 and said in done.stderr.decode() and words in done.stderr.decode(), done
            assert not bare.library.exists()
    assert b"tls-cert and tls-key" in bare.run("serve", "--tls-cert", "cert.pem", code=2).stderr
    assert not bare.library.exists()
    bare.env["MAGPIE_CORS"] = "https://a.example, b.example"
    assert "MAGPIE_CORS: 'b.example'" in bare.run("serve", code=2).stderr.decode()


def test_mistakes_in_the_file(bare, tmp_path):
    for text, words in (("prot = 1", "magpie.toml:1: no setting is called 'prot'"),
                        ("\n\n[serve]\nprot = 1", "magpie.toml:4: no option of serve is called 'prot'; did you mean 'port'?"),
                        ("[sreve]", "no table is called 'sreve'; did you mean 'serve'?"),
                        ("[serve]\n[serve]", "magpie.toml:2: 'serve' is there already, in line 1"),
                        ("threads = 1\nthreads = 1", "magpie.toml:2: 'threads' is there already"),
                        ("port = 1", "'port' stands in the table of a service: [serve]"),
                        ("[worker]\nthreads = 1", "above the first [table]"),
                        ("[serve]\nprint-config = true", "no option of serve is called 'print-config'"),
                        ("[serve]\nno-worker = 1", "no-worker: its value is true or false"),
                        ("[serve]\ncors = [1]", "cors: its value is a string"),
                        ("[serve]\nport = [1]", "no array"),
                        ("serve = 5", "this is a table"),
                        ("[serve.deep]\na = 1", "'deep'")):
        file = write(tmp_path, text)
        for command in ("serve", "list"):  # whoever reads the file says so
            done = bare.run(command, "--config", file, code=2)
            assert words in done.stderr.decode(), (text, done.stderr)
    assert not bare.library.exists()
    assert "cannot" in bare.run("serve", "--config", tmp_path / "none.toml", code=3).stderr.decode()


# ---- which source wins ----

def test_the_order_of_sources(bare, tmp_path):
    file = write(tmp_path, "max-side = 100\n[serve]\nport = 1\nmetrics = false\ncors = ['https://a.example']\n")
    bare.env["MAGPIE_CONFIG"] = str(file)
    held = config(bare)
    assert held["max-side"] == 100
    assert (held["serve"]["port"], held["serve"]["metrics"], held["serve"]["cors"]) == (1, False, ["https://a.example"])
    bare.env.update(PROMETHEUS_ENABLED="true", MAGPIE_CORS="https://b.example, https://c.example")
    held = config(bare)["serve"]
    assert held["metrics"] is True and held["cors"] == ["https://b.example", "https://c.example"]
    bare.env.update(MAGPIE_METRICS="no", MAGPIE_PORT="2")
    held = config(bare, "--cors", "https://d.example")["serve"]
    assert (held["metrics"], held["port"], held["cors"]) == (False, 2, ["https://d.example"])
    assert config(bare, "--port", 3, "--metrics", "yes")["serve"]["metrics"] is True
    assert config(bare, service="embed")["embed"]["port"] == 2
    text = bare.run("serve", "--print-config", "--drain", "5").stdout.decode()
    for line in ('drain = "5"  # flag', "port = 2  # MAGPIE_PORT", "max-side = 100  # magpie.toml:1",
                 "rate-limit = 10  # default"):
        assert line + "\n" in text
    assert not bare.library.exists()


DOCUMENTS = {"JWT_SECRET": SECRET, "JWT_EXPIRY": "24h", "PROMETHEUS_ENABLED": "false", "MODEL_NAME": "builtin",
             "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


def test_names_that_others_use(bare):
    bare.env.update(DOCUMENTS)
    text = bare.run("serve", "--print-config").stdout.decode()
    for line in ("# jwt-secret is set (hidden), from JWT_SECRET", 'jwt-expiry = "24h"  # JWT_EXPIRY',
                 "metrics = false  # PROMETHEUS_ENABLED", 'model = "builtin"  # MODEL_NAME',
                 'otlp-endpoint = "http://collector:4318/v1/traces"  # OTEL_EXPORTER_OTLP_ENDPOINT'):
        assert line + "\n" in text
    bare.env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://other/traces"
    assert config(bare)["serve"]["otlp-endpoint"] == "http://other/traces"
    bare.env["MODEL_NAME"] = "ViT-B-32"
    done = bare.run("serve", code=3)  # which open_clip calls it
    assert b"magpie model pull clip-vit-b32" in done.stderr
    bare.env["MODEL_NAME"] = "ViT-Q-99"
    assert b"no model is called 'ViT-Q-99'" in bare.run("serve", code=3).stderr
    bare.run("stats", code=3)  # which reads none of them
    for name in ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"):
        assert name not in (ROOT / ".env.example").read_text()


BACK_ENDS = {"DATABASE_URL": ("postgresql://user:hunter2@postgres:5432/visual_anomaly", "sqlite:", "database-url"),
             "QDRANT_URL": ("http://qdrant:6333", "library:", "vectors-url"),
             "S3_ENDPOINT": ("http://minio:9000", "file:", "blobs-url"),
             "MINIO_ENDPOINT": ("http://minio:9000", "file:", "blobs-url"),
             "REDIS_URL": ("redis://:hunter2@redis:6379/0", "memory:", "cache-url"),
             "EMBED_URL": ("http://embed-fastapi:8000", "inside:", "embed-url")}


@pytest.mark.parametrize("name", BACK_ENDS)
def test_back_ends_that_are_not_in_this_build(bare, tmp_path, name):
    url, own, setting = BACK_ENDS[name]
    ways = [({name: url}, [], f"{name}: "), ({}, [f"--{setting}={url}"], f"--{setting}: "),
            ({}, ["--config", write(tmp_path, f"{setting} = '{url}'")], f"magpie.toml:1: {setting}: "),
            ({name: f"{own}//elsewhere"}, [], f"{name}: "),
            ({name: "host=db password=hunter2"}, [], f"{name}: ")]
    for env, args, said in ways:
        for service in SERVICES:
            done = subprocess.run([BINARY, service, *map(str, args)], env={**bare.env, **env}, capture_output=True,
                                  timeout=60)
            text = done.stderr.decode()
            assert done.returncode == 2 and said in text and f"allowed: {own} (" in text, text
            assert "not a back end of this build" in text and "unset it to go on" in text
            assert "hunter2" not in text and not bare.library.exists()
    bare.env[name] = own
    assert config(bare)[setting] == own


# ---- what holds, printed ----

def test_what_is_printed_can_be_read_again(bare, tmp_path):
    bare.env.update(MAGPIE_CORS='https://a.example,https://b.example:8', MAGPIE_RATE_LIMIT="0.125", MAGPIE_THREADS="3",
                    MAGPIE_NO_WORKER="yes", MAGPIE_SHARE='/tmp/"quoted" \\ \t é', MAGPIE_MAX_BYTES="1.5g",
                    MAGPIE_JOB_THREADS="5", MAGPIE_TOKEN=SECRET, MAGPIE_SMTP_URL="smtps://me:hunter2@mail:465")
    for service in SERVICES:
        first = bare.run(service, "--print-config").stdout.decode()
        assert SECRET not in first and "hunter2" not in first
        assert "# token is set (hidden), from MAGPIE_TOKEN\n" in first
        file = write(tmp_path, first, "again.toml")
        plain = {k: v for k, v in bare.env.items() if not k.startswith("MAGPIE_")}
        done = subprocess.run([BINARY, service, "--print-config", "--config", file], env=plain, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert tomllib.loads(first) == tomllib.loads(done.stdout.decode())
    held = config(bare)
    assert held["share"] == bare.env["MAGPIE_SHARE"] and held["serve"]["rate-limit"] == 0.125
    assert held["serve"]["no-worker"] is True and held["max-bytes"] == "1.5g"


def test_what_holds_as_json(bare):
    bare.env.update(MAGPIE_TOKEN=SECRET, MAGPIE_CORS="https://a.example")
    (said,) = bare.json("serve", "--print-config", "--port", 7)
    assert said["command"] == "serve" and said["file"] is None
    settings = {r["name"]: r for r in said["settings"]}
    options = {r["name"]: r for r in said["options"]}
    assert settings["token"] == {"name": "token", "value": None, "source": "MAGPIE_TOKEN", "hidden": True}
    assert options["port"] == {"name": "port", "value": "7", "source": "flag", "hidden": False}
    assert options["cors"]["value"] == ["https://a.example"] and options["reset-url"]["value"] is None
    assert "print-config" not in options
    bare.run("serve", "--print-config", "operand", code=2)


def test_the_file_to_fill_in(bare, tmp_path):
    """As it is, it sets nothing; with each default taken in, it changes nothing."""
    text = (ROOT / "magpie.example.toml").read_text()
    assert bare.run("help", "--toml").stdout.decode() == text
    for file in (write(tmp_path, text), write(tmp_path, re.sub(r'(?m)^#(\S+ = (?!""$))', r"\1", text))):
        for service in SERVICES:
            assert config(bare, "--config", file, service=service) == config(bare, service=service)


# ---- TOML, beside Python's reader ----

def spelled_string(rng, text):
    """One of the ways to write it."""
    ways = ["basic", "lines"] + (["literal", "literal lines"] if "'" not in text and text.isprintable() else [])
    way = rng.choice(ways)
    if way == "literal":
        return f"'{text}'"
    if way == "literal lines":
        return f"'''{rng.choice(['', chr(10)])}{text}'''"
    out = ""
    for c in text:
        if c in '"\\' or ord(c) < 32:
            out += "\\" + c if c in '"\\' else f"\\u{ord(c):04x}"
        elif rng.random() < 0.1:
            out += f"\\U{ord(c):08X}"
        else:
            out += c
    if way == "basic":
        return f'"{out}"'
    at = rng.randrange(len(out) + 1)
    while at > 0 and (out[:at].endswith("\\") or re.search(r"\\[uU][0-9a-fA-F]*$", out[:at])):
        at -= 1
    folded = "" if out[at:at + 1].isspace() else rng.choice(["", "\\\n   ", "\\  \n\n "])
    return f'"""{rng.choice(["", chr(10)])}{out[:at]}{folded}{out[at:]}"""'


def spelled_int(rng, n):
    digits = str(n)
    return rng.choice([digits, "+" + digits, hex(n), oct(n), bin(n), "_".join(digits)])


def spelled_key(rng, *parts):
    out = [rng.choice([p, f'"{p}"', f"'{p}'"]) for p in parts]
    return rng.choice([".", " . "]).join(out)


def document(rng):
    """Settings, and options of serve under a header or with dotted names."""
    end = rng.choice(["\n", "\n", "\r\n"])
    blank = lambda: rng.choice(["", " ", "\t", "  "])
    text = lambda: "".join(rng.choice("ab \\\"'#=[]é€😀\t,{}.") for _ in range(rng.randrange(1, 12)))
    comment = lambda: rng.choice(["", "", " # é = [1"])
    settings = {"threads": lambda: spelled_int(rng, rng.randrange(1025)),
                "max-side": lambda: spelled_int(rng, rng.randrange(1, 65536)),
                "share": lambda: spelled_string(rng, "x" + text()), "smtp-user": lambda: spelled_string(rng, text()),
                "color": lambda: spelled_string(rng, "never")}
    options = {"rate-limit": lambda: rng.choice(["1e2", "2.5", "0.0", "1_0.2_5", "3E+1", "7", "+1.5", "0x10"]),
               "metrics": lambda: rng.choice(["true", "false"]),
               "reset-url": lambda: spelled_string(rng, text()),
               "port": lambda: spelled_int(rng, rng.randrange(65536)),
               "allow-fetch": lambda: "[" + "".join(
                   f"{rng.choice(['', end, ' # one' + end])} {spelled_string(rng, text())}{blank()},"
                   for _ in range(rng.randrange(4))) + rng.choice(["", end]) + "]"}
    line = lambda key, value: f"{blank()}{key}{blank()}={blank()}{value}{blank()}{comment()}{end}"
    out = "".join(line(spelled_key(rng, k), settings[k]()) for k in rng.sample(sorted(settings), rng.randrange(5)))
    chosen = rng.sample(sorted(options), rng.randrange(5))
    if rng.random() < 0.5:
        out += f"{end}[{blank()}{spelled_key(rng, 'serve')}{blank()}]{comment()}{end}"
        return out + "".join(line(spelled_key(rng, k), options[k]()) for k in chosen)
    return out + "".join(line(spelled_key(rng, "serve", k), options[k]()) for k in chosen)


def test_toml_as_python_reads_it(bare, tmp_path):
    rng = random.Random(20)
    for _ in range(200):
        doc = document(rng)
        theirs = tomllib.loads(doc)
        ours = config(bare, "--config", write(tmp_path, doc.encode()))
        for key, value in theirs.pop("serve", {}).items():
            assert ours["serve"][key] == value, doc
        for key, value in theirs.items():
            assert ours[key] == value, doc


def test_what_python_refuses_is_refused(bare, tmp_path):
    """Damaged documents; what Python takes may still be no value of ours."""
    rng, refused = random.Random(21), 0
    for _ in range(300):
        doc = document(rng)
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(doc) + 1)
            doc = doc[:at] + rng.choice(["", "\"", "'", "\n", "=", "[", "]", "\\", "\x01", "\r", ".", "_", "{", "0", "#",
                                         "[serve]\n", "é"]) + doc[at + rng.randrange(2):]
        done = bare.run("serve", "--print-config", "--config", write(tmp_path, doc.encode()), code=None)
        assert done.returncode in (0, 2), doc
        try:
            theirs = tomllib.loads(doc)
        except tomllib.TOMLDecodeError:
            refused += 1
            assert done.returncode == 2 and re.search(rb"magpie.toml:\d+: ", done.stderr), doc
            continue
        if done.returncode == 0:
            ours = tomllib.loads(done.stdout.decode())
            for key, value in theirs.get("serve", {}).items():
                assert ours["serve"][key] == value, doc
        else:  # for another reason than how it is written
            told = done.stderr.decode()
            assert "dates" in told or "inline" in told or re.search(
                r"is called|too (small|large|short)|: its value is|no array|is not a|is none of|stands |this is a table|"
                r"[Aa]rrays of tables|empty path|should look|U\+0000", told), (doc, told)
    assert refused > 100


# ---- what they do ----

def test_a_service_from_its_file(magpie, tmp_path):
    magpie.env["MAGPIE_CONFIG"] = str(write(tmp_path, "[serve]\nmetrics = false\njwt-expiry = '2min'\nrate-limit = 0\n"
                                            "cors = ['https://a.example']\nregistration = 'closed'\n"))
    s = Service(magpie, "--rate-limit", "0")
    assert s.get("/metrics").status == 404 and s.get("/health").status == 200
    allowed = s.ask("GET", "/health", Origin="https://a.example").getheader("Access-Control-Allow-Origin")
    assert allowed == "https://a.example"
    s.set_up()
    status, made = s.send("/api/auth/login", {"username": "root", "password": PASSWORD})
    assert status == 200 and made["expires_in"] == 120
    assert s.send("/api/auth/register", {"username": "ada", "password": PASSWORD})[0] == 403
    assert s.stop()[0] == 0


def test_secrets_that_others_can_read(bare, tmp_path):
    file = write(tmp_path, f"token = '{SECRET}'\n")
    for mode, warned in ((0o600, False), (0o640, True), (0o604, True)):
        file.chmod(mode)
        done = bare.run("serve", "--print-config", "--config", file)
        assert (b"magpie.toml holds a secret" in done.stderr) == warned
        assert SECRET.encode() not in done.stderr + done.stdout
    file.write_text("threads = 1\n")
    assert not bare.run("serve", "--print-config", "--config", file).stderr


SECRETS = {"MAGPIE_JWT_SECRET": "jwt-" + SECRET, "MAGPIE_SMTP_PASSWORD": "smtp-" + SECRET,
           "MAGPIE_EMBED_TOKEN": "embed-" + SECRET, "MAGPIE_TOKEN": "token-" + SECRET,
           "MAGPIE_SMTP_URL": f"smtp://me:url-{SECRET}@127.0.0.1:9"}


def test_no_secret_is_shown(magpie, tmp_path):
    """Neither where all goes well nor where something is wrong."""
    shown = {}
    magpie.env.update(SECRETS)
    s = Service(magpie)
    token = s.set_up()
    picture(tmp_path / "a.jpg", 1)
    s.upload(token, [("a.jpg", (tmp_path / "a.jpg").read_bytes())])
    for path in ("/metrics", "/health", "/health/dependencies", "/api/stats", "/nowhere", "/api/audit"):
        shown[path] = s.get(path, token).text
    s.send("/api/auth/forgot", {"email": "nobody@example.org"})
    s.send("/api/auth/login", {"username": "root", "password": "pw-" + SECRET})
    code, shown["log"] = s.stop()
    assert code == 0
    for args in (["serve", "--print-config"], ["serve", "--print-config", "--json"], ["embed", "--print-config"],
                 ["worker", "--print-config"], ["doctor"], ["doctor", "--json"], ["doctor", "-v"]):
        done = magpie.run(*args, code=None)
        shown[" ".join(args)] = done.stdout + done.stderr
    for name in SECRETS:  # in the file, wrong in several ways
        key = name[7:].lower().replace("_", "-")
        for line in (f"{key} = {SECRET}", f"{key} = '{SECRET}", f"{key} = ['{SECRET}']", f"{key} = '{SECRET}' {SECRET}",
                     f"{key} = 'http://a:{SECRET}@b'\nthreads = -1", f'{key} = "\\q{SECRET}"'):
            done = magpie.run("serve", "--config", write(tmp_path, line), code=2)
            shown[line] = done.stdout + done.stderr
    for args in (["--jwt-secret", "short" + SECRET[:9]], ["--smtp-url", f"ftp://u:{SECRET}@h"],
                 ["--otlp-endpoint", f"ftp://u:{SECRET}@h"], ["--database-url", f"postgresql://u:{SECRET}@h/d"],
                 ["--jwt-secrte", SECRET], [f"--jwt-secrte={SECRET}"]):
        done = magpie.run("serve", *args, code=2)
        shown[args[0]] = done.stdout + done.stderr
    for what, text in shown.items():
        assert SECRET.encode() not in text and b"hunter2" not in text and SECRET[:9].encode() not in text, (what, text)


def test_the_environment_of_the_tests_is_bare():
    assert not [k for k in Magpie(ROOT).env if k in BACK_ENDS or k in DOCUMENTS]
    assert os.path.exists(BINARY)
