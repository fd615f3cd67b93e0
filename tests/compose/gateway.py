"""Asks through Envoy of docker-compose.yml, and takes servers away meanwhile.

Run by tests/compose/run, while everything of the profile "gateway" is up.
"""

import concurrent.futures
import dataclasses
import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).parent
SERVERS = ("tokend", "tokend-2")
# Long enough for a container to start.
PATIENCE = 60


def run(*command) -> str:
    return subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def compose(*arguments) -> str:
    progress = ("--progress", "quiet", "--profile", "gateway")
    return run("docker", "compose", *progress, *arguments)


def tokenctl(*arguments) -> str:
    return run(HERE / "tokenctl", "settings", *arguments)


@dataclasses.dataclass(frozen=True)
class Token:
    secret: str
    name: str

    def revoke(self):
        tokenctl("revoke", self.name, "--reason=UNUSED")


def issue(project: str, *scopes) -> Token:
    options = [f"--scope={scope}" for scope in scopes]
    created = json.loads(
        tokenctl(
            *("create", f"--project={project}", "--name=gateway"),
            *("--json", *options),
        )
    )
    return Token(created["secret"], created["token"]["name"])


class Client:
    """A connection to Envoy, opened anew after it was closed."""

    def __init__(self):
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", 8080, timeout=10
        )

    def get(self, path: str, token=None, **headers):
        """The response, with its body in `text`."""
        if token:
            headers["Authorization"] = f"Bearer {token.secret}"
        try:
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
            response.text = response.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return response

    def status(self, path: str, token=None) -> int:
        return self.get(path, token).status


class Load:
    """Requests with a valid token, from a few clients, for as long as it is a
    context. `failures` has the time and what came instead of 200."""

    CLIENTS = 4
    # About 200 requests a second in all.
    PAUSE = 0.02

    def __init__(self, token):
        self._token = token
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask) for _ in range(self.CLIENTS)
        ]
        self.passed = 0
        self.failures = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        client = Client()
        while not self._done.wait(self.PAUSE):
            start = time.monotonic()
            try:
                outcome = client.status("/pages/1", self._token)
            except (OSError, http.client.HTTPException) as error:
                outcome = repr(error)
            if outcome == 200:
                self.passed += 1
            else:
                self.failures.append((start, outcome))


class Watch:
    """What Envoy makes of its servers; a context."""

    def __enter__(self):
        envoy = compose("ps", "--quiet", "envoy").strip()
        with open(HERE / "watch_envoy.py", "rb") as script:
            self._process = subprocess.Popen(
                (
                    *("docker", "run", "--rm", "--interactive", "--init"),
                    *(f"--network=container:{envoy}", "python:3.11-slim"),
                    *("python3", "-"),
                ),
                stdin=script,
                stdout=subprocess.PIPE,
            )
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()

    def until(self, condition, what: str) -> dict:
        """The first state from now on that fulfils the condition."""
        start = time.monotonic()
        for line in self._process.stdout:
            state = json.loads(line)
            if state["time"] > start and condition(state):
                return state
            assert state["time"] < start + PATIENCE, f"never came: {what}"
        raise AssertionError("Envoy's statistics have ended")

    def now(self) -> dict:
        return self.until(lambda _: True, "a state")

    def until_both_are_asked(self):
        """Each of them again and again, from now on."""
        before = self.until(
            lambda state: set(state["healthy"]) == set(SERVERS), "both healthy"
        )["healthy"]
        self.until(
            lambda state: all(
                state["healthy"].get(server, 0) >= before[server] + 10
                for server in SERVERS
            ),
            "checks of both servers",
        )


def valid_verdicts(server: str) -> float:
    """How many the server itself has counted."""
    script = (
        "import urllib.request as r;"
        f"print(r.urlopen('http://{server}:7480/metrics').read().decode())"
    )
    text = compose("exec", "-T", "upstream", "python3", "-c", script)
    (line,) = (
        line
        for line in text.splitlines()
        if line.startswith('tokend_verdicts_total{verdict="valid"}')
    )
    return float(line.split()[1])


def check_outcomes(token):
    client = Client()
    refused = client.get("/pages/1")
    assert refused.status == 401, refused.status
    assert refused.getheader("WWW-Authenticate") == 'Bearer realm="wemasy"'
    assert client.status("/elsewhere", token) == 404
    forged = {"x-wemasy-project": "projects/other", "x-wemasy-foo": "bar"}
    # Without a token nobody is anybody.
    open_to_all = client.get("/healthz", token, **forged)
    assert open_to_all.status == 200
    assert open_to_all.text == "GET /healthz\n", open_to_all.text
    passed = client.get("/pages/1", token, **forged)
    assert passed.status == 200, passed.status
    assert sorted(passed.text.lower().splitlines()) == [
        "get /pages/1",
        "x-wemasy-project: projects/gateway",
        "x-wemasy-scopes: pages:read pages:write",
        f"x-wemasy-token: {token.name}",
    ], passed.text
    bare = issue("demo")
    assert client.status("/pages/1", bare) == 403
    assert client.status("/demo/1", bare) == 200
    assert client.status("/demo/1", token) == 403
    self = client.get("/v1/self", bare)
    assert self.status == 200 and bare.name in self.text, self.text


def check_revocation():
    """On connections that are open, and often enough for either server."""
    clients = [Client() for _ in range(4)]
    for number in range(5):
        token = issue(f"revoked-{number}")
        assert [c.status("/api/1", token) for c in clients] == [200] * 4
        token.revoke()
        found = [c.status("/api/1", token) for c in clients * 2]
        assert found == [401] * 8, found


def check_both_are_asked(token):
    before = [valid_verdicts(server) for server in SERVERS]
    client = Client()
    for _ in range(100):
        assert client.status("/pages/1", token) == 200
    shares = [valid_verdicts(s) - b for s, b in zip(SERVERS, before)]
    assert sum(shares) == 100 and min(shares) >= 40, shares
    return f"{shares[0]:.0f} and {shares[1]:.0f} of 100 requests"


def check_loss(token, server, how):
    """Of one server, by a command of compose, and its return."""
    with Watch() as watch, Load(token) as load:
        watch.until_both_are_asked()
        assert not load.failures, load.failures
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            command = pool.submit(compose, how, server)
            noticed = watch.until(
                lambda state: server not in state["healthy"], "a loss noticed"
            )["time"]
            command.result()
        # It stays away for a while.
        watch.until(lambda state: state["time"] > noticed + 5, "5 s")
        compose("start", server)
        watch.until_both_are_asked()
    failures = [(at - start, outcome) for at, outcome in load.failures]
    late = [each for each in failures if each[0] >= noticed - start]
    assert not late, late
    # What was in flight when it died.
    allowed = Load.CLIENTS if how == "kill" else 0
    assert len(failures) <= allowed, failures
    return (
        f"noticed {noticed - start:.1f} s after the command; "
        f"{len(failures)} of {load.passed + len(failures)} requests failed"
    )


def check_outage(token):
    """With no server left, nothing passes."""
    client = Client()
    compose("kill", *SERVERS)
    for _ in range(10):
        refused = client.get("/pages/1", token)
        assert refused.status == 503, refused.status
        assert refused.getheader("Retry-After") == "1"
    compose("start", *SERVERS)
    end = time.monotonic() + PATIENCE
    while client.status("/pages/1", token) != 200:
        assert time.monotonic() < end, "no request passes again"
        time.sleep(0.1)


# What of its configuration Envoy has had to use by then.
FEATURES = (
    "health_check.failure",
    "outlier_detection.ejections_enforced_total",
    "upstream_rq_retry_success",
    "ssl.handshake",
)


def features():
    with Watch() as watch:
        counters = watch.now()["counters"]
    assert counters["lb_healthy_panic"] == 0
    assert all(counters[name] > 0 for name in FEATURES), counters
    return ", ".join(f"{name} {counters[name]}" for name in FEATURES)


def main():
    token = issue("gateway", "pages:read", "pages:write")
    checks = {
        "who passes, and what the API is told": lambda: check_outcomes(token),
        "revoked means refused": check_revocation,
        "both servers are asked": lambda: check_both_are_asked(token),
        "one is stopped": lambda: check_loss(token, "tokend-2", "stop"),
        "one is killed": lambda: check_loss(token, "tokend-2", "kill"),
        "the other is killed": lambda: check_loss(token, "tokend", "kill"),
        "both are killed": lambda: check_outage(token),
        "Envoy's counters": features,
    }
    for name, check in checks.items():
        found = check()
        print(f"  {name}: {found or 'ok'}", file=sys.stderr)


main()
