"""Gateways as processes, each with the configuration of deploy/gateways."""

import os
import pathlib
import re
import signal
import subprocess

from harness import evidence, paths
from harness.waiting import wait_until

from . import http1
from .programs import program
from .site import HOSTS, free_port

# Another one for those who break the files on purpose: see mutants.py.
DEPLOY = pathlib.Path(
    os.environ.get("GATEWAYS_DIR") or paths.SOURCE / "deploy" / "gateways"
)
# Where the files look for the descriptors.
_DESCRIPTORS = "/etc/envoy/tokend/wemasy_tokens_v1.binpb"
# How long a stream may go on, in the files as they are.
STREAM_AGE = "600s"


def fill(file: str, values: dict) -> str:
    """A file of deploy/gateways with some of its texts replaced."""
    text = (DEPLOY / file).read_text(encoding="utf-8")
    for old in values:
        assert old in text, f"{file} has no {old!r}"
    pattern = "|".join(
        re.escape(old) for old in sorted(values, key=len, reverse=True)
    )
    return re.sub(pattern, lambda match: values[match[0]], text)


class Gateway:
    """Runs while it is a context.

    `edits` maps further texts of the configuration to what they are replaced
    by. It is ready when it answers a request without a token by that status.
    """

    # Waits for no stream.
    stop_signal = signal.SIGTERM
    # Asks the servers.
    ready_target = "/api/ready"

    def __init__(self, folder, site, edits=None, ready_status=401):
        # What the cases' deviations know it by.
        self.name = ""
        self.site = site
        self.folder = folder
        self.port = free_port()
        self.http2_port = self.port
        self._edits = edits or {}
        self._ready_status = ready_status
        self._log = folder / "gateway.log"
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        edits = dict(self._edits)
        for file, values in self.configuration().items():
            text = (DEPLOY / file).read_text(encoding="utf-8")
            mine = {old: new for old, new in edits.items() if old in text}
            (self.folder / file).write_text(
                fill(file, {**values, **mine}), encoding="utf-8"
            )
            edits = {o: n for o, n in edits.items() if o not in mine}
        assert not edits, f"no file has {list(edits)}"
        evidence.add_log(str(self._log))
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder)},
            )
        try:
            wait_until(self._is_ready, 20, "a gateway that answers")
        except BaseException:
            self.process.kill()
            self.process.wait()
            print(self.log()[-4000:])
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(self.stop_signal)
        self.process.wait(20)

    def configuration(self) -> dict:
        """Files, and for each what is replaced by what."""
        raise NotImplementedError

    def command(self) -> list:
        raise NotImplementedError

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def connect(self) -> http1.Connection:
        return http1.Connection(self.port)

    def exchange(self, target, headers=(), **more) -> http1.Message:
        """Sends a request on a connection of its own."""
        method = more.get("method", "GET")
        with self.connect() as connection:
            data = http1.request(target, headers, **more)
            return connection.exchange(data, method)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()[-4000:]
        try:
            return self.exchange(self.ready_target).status == self._ready_status
        except (OSError, http1.Closed):
            return False


class Envoy(Gateway):
    """Over gRPC."""

    file = "envoy.yaml"

    def __init__(self, version, *arguments, **more):
        super().__init__(*arguments, **more)
        self._version = version
        self.admin_port = free_port()

    def configuration(self):
        values = {
            "0.0.0.0, port_value: 8080": f"127.0.0.1, port_value: {self.port}",
            "port_value: 9901": f"port_value: {self.admin_port}",
            "port_value: 9000": f"port_value: {self.site.api.port}",
            **self.servers(),
        }
        return {self.file: values}

    def servers(self) -> dict:
        values = {_DESCRIPTORS: str(DEPLOY / "wemasy_tokens_v1.binpb")}
        for host in HOSTS:
            values[f"{host}, port_value: 7443"] = (
                f"{host}, port_value: {self.site.port}"
            )
        return values

    def command(self):
        return [
            *(program(self._version), "--config-path", self.file),
            *("--disable-hot-restart", "--concurrency", "1"),
            *("--log-level", "warning"),
            *("--file-flush-interval-msec", "100"),
        ]

    def stats(self, prefix: str) -> dict:
        """Counters whose names begin so."""
        text = self._admin(f"/stats?type=Counters&filter=^{re.escape(prefix)}")
        pairs = (line.rpartition(": ") for line in text.splitlines())
        return {n.removeprefix(prefix): int(v) for n, _, v in pairs}

    def prometheus(self) -> str:
        """All metrics, as Prometheus gets them."""
        return self._admin("/stats/prometheus")

    def _admin(self, target: str) -> str:
        with http1.Connection(self.admin_port) as connection:
            return connection.exchange(http1.request(target)).body.decode()


class Rest(Envoy):
    """REST for backends; over TLS if there is an SSLContext."""

    file = "envoy-rest.yaml"
    ready_target = "/v1/projects/ready/tokens"

    def __init__(self, *arguments, tls=None, **more):
        super().__init__(*arguments, **{"ready_status": 200, **more})
        self.tls = tls

    def configuration(self):
        values = {
            "port_value: 8081": f"port_value: {self.port}",
            "port_value: 9902": f"port_value: {self.admin_port}",
            **self.servers(),
        }
        return {self.file: values}

    def connect(self):
        return http1.Connection(self.port, self.tls)

    def exchange(self, target, headers=(), **more):
        """By a name that it goes by."""
        headers = [("Host", "localhost"), *headers]
        return super().exchange(target, headers, **more)


class OverCheck(Gateway):
    """Over GET /check."""

    def replaced_addresses(self) -> dict:
        site = self.site
        return {
            "127.0.0.1:9000": f"127.0.0.1:{site.api.port}",
            **{f"{h}:7481": f"{h}:{site.check_port}" for h in HOSTS},
        }


class Nginx(OverCheck):
    # What a distribution's own nginx.conf says.
    _MAIN = """
    {user}
    worker_processes 1;
    pid {folder}/nginx.pid;
    error_log stderr warn;
    daemon off;
    worker_shutdown_timeout 1s;
    events {{ }}
    http {{
      access_log off;
      client_body_temp_path {folder}/body;
      proxy_temp_path {folder}/proxy;
      fastcgi_temp_path {folder}/fastcgi;
      uwsgi_temp_path {folder}/uwsgi;
      scgi_temp_path {folder}/scgi;
      include {folder}/nginx.conf;
    }}
    """

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        # On one port it speaks either version without TLS.
        self.http2_port = free_port()

    def configuration(self):
        return {
            "nginx.conf": {
                **self.replaced_addresses(),
                "/var/log/nginx/api.log": "/dev/stdout",
                "/var/log/nginx/error.log": "stderr",
                "listen 8080;": f"listen 127.0.0.1:{self.port};",
                "#http2 listen 8443 ssl http2;": (
                    f"listen 127.0.0.1:{self.http2_port} http2;"
                ),
            }
        }

    def command(self):
        user = "user root root;" if os.geteuid() == 0 else ""
        main = self.folder / "main.conf"
        main.write_text(self._MAIN.format(folder=self.folder, user=user))
        return [program("NGINX"), "-p", str(self.folder), "-c", str(main)]

    def reload(self):
        self.process.send_signal(signal.SIGHUP)


class Traefik(OverCheck):
    stop_signal = signal.SIGKILL

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self._own_port = free_port()

    def configuration(self):
        own = {"127.0.0.1:8081": f"127.0.0.1:{self._own_port}"}
        return {
            "traefik.yaml": {
                **own,
                '":8080"': f'"127.0.0.1:{self.port}"',
                "/etc/traefik/": f"{self.folder}/",
            },
            "traefik-dynamic.yaml": {
                **own,
                **self.replaced_addresses(),
                "7480": str(self.site.ops_port),
            },
        }

    def command(self):
        return [program("TRAEFIK"), "--configfile=traefik.yaml"]


class Caddy(OverCheck):
    stop_signal = signal.SIGKILL

    def configuration(self):
        return {
            "Caddyfile": {
                **self.replaced_addresses(),
                ":8080 {": f":{self.port} {{",
                "7480": str(self.site.ops_port),
            }
        }

    def command(self):
        return [program("CADDY"), "run", "--config", "Caddyfile"]


# Envoy with what tokend is shown in another form, and with nothing taken away
# before it is asked: for what it makes of headers.
_RAW = {
    "transport_api_version: V3": (
        "transport_api_version: V3\n" + " " * 22 + "encode_raw_headers: true"
    )
}
_BARE = {
    '{safe_regex: {regex: "x[-.]wemasy[-.].*"}}': "{exact: nothing}",
    "headers_with_underscores_action: DROP_HEADER": (
        "headers_with_underscores_action: ALLOW"
    ),
}
VARIANTS = {"": {}, "raw": _RAW, "bare": _BARE, "bare-raw": {**_RAW, **_BARE}}
ENVOYS = {"envoy-old": "ENVOY_OLD", "envoy-new": "ENVOY_NEW"}
RESTS = {"rest-old": "ENVOY_OLD", "rest-new": "ENVOY_NEW"}
OTHERS = {"nginx": Nginx, "traefik": Traefik, "caddy": Caddy}
GATEWAYS = (*ENVOYS, *OTHERS)


def make(name: str, folder, site, edits=None, **more) -> Gateway:
    """By its name, which for Envoy may end with a variant's: envoy-old/raw."""
    name, _, variant = name.partition("/")
    edits = {**VARIANTS[variant], **(edits or {})}
    if name in ENVOYS:
        made = Envoy(ENVOYS[name], folder, site, edits=edits, **more)
    elif name in RESTS:
        made = Rest(RESTS[name], folder, site, edits=edits, **more)
    else:
        made = OTHERS[name](folder, site, edits=edits, **more)
    made.name = name
    return made
