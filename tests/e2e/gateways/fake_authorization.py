"""A server in tokend's place that fails, and remembers what it was shown."""

import concurrent.futures
import threading

import grpc
from grpc_health.v1 import health_pb2

from .site import HOSTS, free_port

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_HEALTH = "/grpc.health.v1.Health/Check"


class FakeAuthorization(grpc.GenericRpcHandler):
    """Answers Check by `answer`, a function of the context, which may be
    changed; a context.

    Says that it is healthy, so that it is asked.
    """

    def __init__(self, answer):
        self.answer = answer
        self._lock = threading.Lock()
        # The bytes of each CheckRequest.
        self.shown = []
        # The services whose health was asked for.
        self.health_asked_of = set()
        self.port = free_port()
        executor = concurrent.futures.ThreadPoolExecutor(8)
        self._server = grpc.server(executor)
        self._server.add_generic_rpc_handlers([self])
        for host in HOSTS:
            self._server.add_insecure_port(f"{host}:{self.port}")

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(0).wait()

    def service(self, handler_call_details):
        answer = {_CHECK: self._check, _HEALTH: self._health}.get(
            handler_call_details.method
        )
        return answer and grpc.unary_unary_rpc_method_handler(answer)

    def _health(self, request, _context):
        asked = health_pb2.HealthCheckRequest.FromString(request)
        with self._lock:
            self.health_asked_of.add(asked.service)
        serving = health_pb2.HealthCheckResponse.SERVING
        return health_pb2.HealthCheckResponse(
            status=serving
        ).SerializeToString()

    def _check(self, request, context):
        with self._lock:
            self.shown.append(request)
        return self.answer(context)
