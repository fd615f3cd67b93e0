"""What a run leaves behind, for the tests that look at all of it.

Every channel of the tests passes through an interceptor that remembers which
secrets were issued, which reasons of errors came back, and their texts.
"""

import pathlib
import threading

import grpc

from .stubs import error_details_pb2, status_pb2

_lock = threading.Lock()
_secrets: list[str] = []
_reasons: dict[str, str] = {}
_texts: list[str] = []
# By their paths, each once.
_logs: dict[str, None] = {}
_metrics: list[str] = []
_databases: list[tuple[object, str]] = []
# Of what is not there any more.
_kept_logs: list[bytes] = []
_kept_dumps: list[bytes] = []


def add_secret(secret: str):
    with _lock:
        _secrets.append(secret)


def add_text(text: str):
    """Something that a client was shown."""
    with _lock:
        _texts.append(text)


def add_reason(reason: str, code: str):
    with _lock:
        _reasons[reason] = code


def add_log(path: str):
    with _lock:
        _logs[path] = None


def add_metrics(text: str):
    with _lock:
        _metrics.append(text)


def add_database(cluster, name: str):
    with _lock:
        _databases.append((cluster, name))


def keep(cluster):
    """Takes the log and the databases of a cluster that will be destroyed."""
    if not cluster.is_running():
        cluster.start()
    with _lock:
        mine = [each for each in _databases if each[0] is cluster]
    dumps = [cluster.dump(name).encode() for _, name in mine]
    with _lock:
        _kept_dumps.extend(dumps)
        _kept_logs.append(cluster.log.read_bytes())
        for each in mine:
            _databases.remove(each)
        _logs.pop(str(cluster.log), None)


def secrets() -> list[str]:
    with _lock:
        return list(_secrets)


def reasons() -> dict[str, str]:
    """The code that each reason seen came with."""
    with _lock:
        return dict(_reasons)


def texts() -> list[str]:
    with _lock:
        return list(_texts)


def logs() -> list[bytes]:
    """What servers and databases wrote into their logs."""
    with _lock:
        paths, kept = list(_logs), list(_kept_logs)
    return kept + [pathlib.Path(path).read_bytes() for path in paths]


def metrics() -> list[str]:
    with _lock:
        return list(_metrics)


def dumps() -> list[bytes]:
    """The databases as SQL."""
    with _lock:
        databases, kept = list(_databases), list(_kept_dumps)
    return kept + [cluster.dump(name).encode() for cluster, name in databases]


class Failure:
    """The details of a failed call."""

    def __init__(self, error: grpc.RpcError):
        self.code = error.code()
        self.message = error.details()
        trailers = dict(error.trailing_metadata() or ())
        self.raw = trailers.get("grpc-status-details-bin", b"")
        self.challenge = trailers.get("www-authenticate", "")
        rich = status_pb2.Status.FromString(self.raw)
        self.infos = []
        self.violations = []
        for detail in rich.details:
            info = error_details_pb2.ErrorInfo()
            bad_request = error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.infos.append(info)
            elif detail.Unpack(bad_request):
                self.violations.extend(bad_request.field_violations)
        self.rich = rich

    @property
    def reason(self) -> str:
        return self.infos[0].reason if self.infos else ""

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self.infos[0].metadata) if self.infos else {}

    @property
    def fields(self) -> list[str]:
        return [violation.field for violation in self.violations]

    def __str__(self):
        return f"{self.code}: {self.message} {self.rich}"


class Recorder(grpc.UnaryUnaryClientInterceptor):
    """Remembers what passes through a channel."""

    def intercept_unary_unary(self, continuation, client_call_details, request):
        call = continuation(client_call_details, request)
        call.add_done_callback(self._remember)
        return call

    @staticmethod
    def _remember(call):
        if call.code() == grpc.StatusCode.OK:
            secret = getattr(call.result(), "secret", "")
            if secret:
                add_secret(secret)
            return
        error = call.exception()
        if not isinstance(error, grpc.RpcError):
            return
        failure = Failure(error)
        add_text(str(failure))
        add_text(failure.raw.decode("latin-1"))
        if failure.reason:
            add_reason(failure.reason, failure.code.name)
