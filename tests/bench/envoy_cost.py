"""What Envoy itself spends on a request with ext_authz, and without.

One Envoy runs the configuration of deploy/gateways, with one more route, which
differs from /api/ only in that tokend is not asked. Both lead to an NGINX that
answers 204, so that Envoy does all that a proxy does. A response of Envoy's own
would leave out the way to the API, without which nobody runs it.
"""

import contextlib
import pathlib
import socket
import statistics
import subprocess
import types

from gateways.gateway import make
from gateways.programs import program
from gateways.site import Site, free_port
from harness.waiting import wait_until
from measuring import cpu_seconds, h2load, h2load_program, spread, take_turns
from tokens import create_token

CHECKED = "/api/x"
PLAIN = "/plain/x"
# Goes between the route /api/ and the next one.
_NEXT_ROUTE = "# No token.\n"
_PLAIN_ROUTE = """\
- match: {prefix: /plain/}
                          route: {cluster: api, timeout: 0s}
                          typed_per_filter_config: *no_token
                        """

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
  access_log off;
  # Envoy keeps its connections.
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 204; }}
  }}
}}
"""


def require_programs():
    """Raises FileNotFoundError, which says what to install."""
    h2load_program()
    program("ENVOY_NEW")
    program("NGINX")


class Api:
    """An API that costs little: NGINX, which answers 204; a context."""

    def __init__(self, folder: pathlib.Path):
        self.port = free_port()
        self._folder = folder
        self._process = None

    def __enter__(self):
        file = self._folder / "nginx.conf"
        text = _NGINX.format(folder=self._folder, port=self.port)
        file.write_text(text, encoding="utf-8")
        command = [program("NGINX"), "-e", "stderr", "-c", str(file)]
        self._process = subprocess.Popen(
            [*command, "-p", str(self._folder)], stdin=subprocess.DEVNULL
        )
        try:
            wait_until(self._listens, 10, "an NGINX that listens")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True


class Route:
    """Requests with a token for a path of Envoy's."""

    def __init__(self, envoy, servers, path, secret, folder):
        self._envoy = envoy
        self._servers = [server.process.pid for server in servers]
        self._path = path
        self._header = f"authorization: Bearer {secret}"
        self._folder = folder

    def run(self, calls: int) -> dict:
        envoy = self._envoy.process.pid
        checks = self._checks()
        before = cpu_seconds(envoy), cpu_seconds(*self._servers)
        seen = h2load(
            f"http://127.0.0.1:{self._envoy.port}{self._path}",
            calls,
            self._folder,
            [self._header],
        )
        after = cpu_seconds(envoy), cpu_seconds(*self._servers)
        checks = self._checks() - checks
        if checks != (calls if self._path == CHECKED else 0):
            raise RuntimeError(f"{checks} checks in {calls} of {self._path}")
        return {
            "throughput": seen["throughput"],
            "envoy_us": (after[0] - before[0]) / calls * 1e6,
            "tokend_us": (after[1] - before[1]) / calls * 1e6,
        }

    def _checks(self) -> int:
        """How many tokens tokend has called good."""
        return self._envoy.stats("http.api.ext_authz.")["ok"]


def measure(world, quick: bool) -> dict:
    with world.tokend() as server:
        secret, _ = create_token(server)
    return compare_routes(
        world.database_url,
        secret,
        world.folder,
        *((5, 3_000) if quick else (15, 5_000)),
    )


def compare_routes(database_url, secret, folder, rounds, calls) -> dict:
    """The figures, by two servers on that database, where `secret` is valid."""
    with contextlib.ExitStack() as stack:
        api = stack.enter_context(Api(folder))
        site = stack.enter_context(
            Site(
                folder,
                database_url,
                log_level="info",
                max_active_tokens=1_000_000,
            )
        )
        envoy = stack.enter_context(
            make(
                "envoy-new",
                folder / "envoy",
                types.SimpleNamespace(api=api, port=site.port),
                {_NEXT_ROUTE: _PLAIN_ROUTE + _NEXT_ROUTE},
            )
        )
        routes = {
            path: Route(envoy, site.servers, path, secret, folder)
            for path in (CHECKED, PLAIN)
        }
        results = take_turns(routes, rounds, calls)

    def all_of(path, figure):
        return [run[figure] for run in results[path]]

    plain, checked = all_of(PLAIN, "envoy_us"), all_of(CHECKED, "envoy_us")
    pairs = list(zip(checked, plain))
    plain_rate = statistics.median(all_of(PLAIN, "throughput"))
    checked_rate = statistics.median(all_of(CHECKED, "throughput"))
    return {
        "envoy_plain_throughput": plain_rate,
        "envoy_ext_authz_throughput": checked_rate,
        **spread("envoy_plain_cpu_us", plain),
        **spread("envoy_ext_authz_cpu_us", checked),
        **spread("envoy_ext_authz_added_cpu_us", [c - p for c, p in pairs]),
        **spread("envoy_ext_authz_cpu_vs_plain", [c / p for c, p in pairs]),
        **spread("tokend_check_cpu_us", all_of(CHECKED, "tokend_us")),
    }
