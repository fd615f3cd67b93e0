"""An AuthService that answers as a test wants it."""

import concurrent.futures
import contextlib
from collections.abc import Iterator
from typing import Any

import grpc

from wemasy.tokens.v1 import auth_service_pb2, auth_service_pb2_grpc

VALID = auth_service_pb2.ValidateResponse(
    verdict=auth_service_pb2.VERDICT_VALID,
    token="projects/p/tokens/t",
    project="projects/p",
)


class ScriptedAuthService(auth_service_pb2_grpc.AuthServiceServicer):
    """Gives its answers, one after the other, and keeps the requests."""

    def __init__(
        self, *answers: auth_service_pb2.ValidateResponse | grpc.StatusCode
    ) -> None:
        self._answers = iter(answers)
        self.requests: list[auth_service_pb2.ValidateRequest] = []
        self.peers: set[str] = set()

    def Validate(  # noqa: N802
        self, request: auth_service_pb2.ValidateRequest, context: Any
    ) -> auth_service_pb2.ValidateResponse:
        self.requests.append(request)
        self.peers.add(context.peer())
        answer = next(self._answers)
        if isinstance(answer, grpc.StatusCode):
            context.abort(answer, "as the test wants it")
        return answer  # type: ignore[return-value]

    def Watch(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError


@contextlib.contextmanager
def serve_auth(
    service: auth_service_pb2_grpc.AuthServiceServicer,
    credentials: grpc.ServerCredentials | None = None,
) -> Iterator[str]:
    """Serves it on localhost; yields the target."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        server = grpc.server(pool)
        auth_service_pb2_grpc.add_AuthServiceServicer_to_server(service, server)
        if credentials:
            port = server.add_secure_port("localhost:0", credentials)
        else:
            port = server.add_insecure_port("localhost:0")
        server.start()
        try:
            yield f"localhost:{port}"
        finally:
            server.stop(None).wait()
