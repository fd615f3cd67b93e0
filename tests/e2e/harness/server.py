"""A tokend process."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import evidence, paths
from .certificates import DOMAIN
from .client import Client
from .ports import free_port
from .waiting import wait_until

# Ready is polled this often.
_POLL_SECONDS = 0.05

ROLES = {
    "bindings": [
        {"identity": "local", "roles": ["manager", "validator", "security"]},
        {"identity": f"{DOMAIN}/gateway", "roles": ["validator"]},
        {"identity": f"{DOMAIN}/backend", "roles": ["manager", "validator"]},
        {"identity": f"{DOMAIN}/security", "roles": ["security"]},
        {
            "identity": f"{DOMAIN}/all",
            "roles": ["manager", "validator", "security"],
        },
    ]
}


def migrate(owner_url: str, program="") -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            program or paths.binary("tokend"),
            "migrate",
            f"--database-url={owner_url}",
            "--migrate-role=tokend",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Server:
    """`tokend serve` on free ports of 127.0.0.1, and its log.

    May be started again after it ended, on the same ports.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        database_url,
        certificate=None,
        program="",
        environment=None,
        **flags,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._program = program or paths.binary("tokend")
        self._environment = {**os.environ, **(environment or {})}
        self._log = folder / "tokend.log"
        self.port = free_port()
        self.ops_port = free_port()
        roles = folder / "roles.json"
        roles.write_text(json.dumps(ROLES), encoding="utf-8")
        self.certificate = certificate
        self._flags = {
            "database-url": database_url,
            "listen": f"127.0.0.1:{self.port}",
            "ops-listen": f"127.0.0.1:{self.ops_port}",
            "roles-file": roles,
            "log-level": "debug",
            "lame-duck": "1s",
        }
        if certificate:
            self._flags["tls-cert"] = certificate.certificate
            self._flags["tls-key"] = certificate.key
            self._flags["tls-client-ca"] = certificate.ca
        self._flags.update(
            (name.replace("_", "-"), value) for name, value in flags.items()
        )
        self.process = None

    @property
    def target(self) -> str:
        return self._flags["listen"]

    def start(self, wait=True):
        """Starts the process, and waits until it serves."""
        evidence.add_log(str(self._log))
        command = [self._program, "serve"]
        command += [f"--{name}={value}" for name, value in self._flags.items()]
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        if wait:
            try:
                self.wait_until_ready()
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise
        return self

    def wait_until_ready(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"tokend ended with {self.process.returncode}:\n{self.log()}"
                )
            if self.is_ready():
                return
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(
            f"not ready after {seconds} s:\n{self.log()[-4000:]}"
        )

    def is_ready(self, service="") -> bool:
        """By the health service, over a new connection."""
        credentials = self.certificate and self.certificate.credentials()
        # A channel of its own, for they share connections otherwise.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with Client(self.target, credentials, options) as client:
            return client.serving(service, timeout=1)

    def ops(self, path: str) -> tuple[int, str]:
        """GETs from the operations port."""
        url = f"http://127.0.0.1:{self.ops_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> str:
        status, text = self.ops("/metrics")
        assert status == 200
        evidence.add_metrics(text)
        return text

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def client(self, credentials=None, **arguments) -> Client:
        return Client(self.target, credentials, **arguments)

    def freeze(self):
        """Stops it amidst whatever it does. No thread runs any more."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        wait_until(
            lambda: all(
                stat.read_text().rpartition(")")[2].split()[0] == "T"
                for stat in tasks.glob("*/stat")
            ),
            5,
            "a process that has stopped",
        )

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, signal_number=signal.SIGTERM, seconds=30) -> int:
        """Ends the process, however it was, and returns its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            if signal_number == signal.SIGTERM:
                # Or it would end on SIGKILL only.
                self.thaw()
                try:
                    self.metrics()
                except OSError:
                    pass
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
