"""A client of the service over Python stubs."""

import contextlib
import uuid

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from . import evidence
from .stubs import (
    auth_grpc,
    auth_pb2,
    self_grpc,
    self_pb2,
    service_grpc,
    service_pb2,
    token_pb2,
)

ACTOR = "user-7"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Client:
    """Short names for the calls that tests make all the time."""

    def __init__(self, target, credentials=None, options=()):
        options = [("grpc.max_receive_message_length", 64 << 20), *options]
        self.target = target
        if credentials:
            self.channel = grpc.secure_channel(target, credentials, options)
        else:
            self.channel = grpc.insecure_channel(target, options)
        recorded = grpc.intercept_channel(self.channel, evidence.Recorder())
        self.tokens = service_grpc.TokenServiceStub(recorded)
        self.auth = auth_grpc.AuthServiceStub(recorded)
        self.self = self_grpc.SelfServiceStub(recorded)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def create(self, project, display_name="token", timeout=30, **fields):
        """Creates a token; `request_id` and `actor` may be among `fields`."""
        request = service_pb2.CreateTokenRequest(
            parent=f"projects/{project}",
            actor=fields.pop("actor", ACTOR),
            request_id=fields.pop("request_id", str(uuid.uuid4())),
            token=token_pb2.Token(display_name=display_name, **fields),
        )
        return self.tokens.CreateToken(request, timeout=timeout)

    def get(self, name, timeout=30):
        request = service_pb2.GetTokenRequest(name=name)
        return self.tokens.GetToken(request, timeout=timeout).token

    def list(self, project, timeout=30, **fields):
        request = service_pb2.ListTokensRequest(
            parent=f"projects/{project}", **fields
        )
        return self.tokens.ListTokens(request, timeout=timeout)

    def list_all(self, project, **fields):
        page = self.list(project, **fields)
        tokens = list(page.tokens)
        while page.next_page_token:
            page = self.list(project, page_token=page.next_page_token, **fields)
            tokens.extend(page.tokens)
        return tokens

    def update(self, name, paths=(), timeout=30, **fields):
        request = service_pb2.UpdateTokenRequest(
            token=token_pb2.Token(name=name, **fields), actor=ACTOR
        )
        request.update_mask.paths.extend(paths)
        return self.tokens.UpdateToken(request, timeout=timeout).token

    def revoke(self, name, timeout=30, **fields):
        request = service_pb2.RevokeTokenRequest(
            name=name, actor=fields.pop("actor", ACTOR), **fields
        )
        return self.tokens.RevokeToken(request, timeout=timeout)

    def rotate(self, name, grace_seconds=0, timeout=30, **fields):
        request = service_pb2.RotateTokenRequest(
            name=name,
            actor=ACTOR,
            request_id=fields.pop("request_id", str(uuid.uuid4())),
            **fields,
        )
        if grace_seconds:
            request.grace_period.seconds = grace_seconds
        return self.tokens.RotateToken(request, timeout=timeout)

    def revoke_leaked(self, *leaked, timeout=30):
        request = service_pb2.RevokeLeakedTokensRequest(
            actor=ACTOR, leaked_tokens=leaked
        )
        return self.tokens.RevokeLeakedTokens(request, timeout=timeout)

    def audit(self, project, timeout=30, **fields):
        request = service_pb2.ListAuditEventsRequest(
            parent=f"projects/{project}", **fields
        )
        return self.tokens.ListAuditEvents(request, timeout=timeout)

    def validate(self, secret, timeout=10, **fields):
        request = auth_pb2.ValidateRequest(token=secret, **fields)
        return self.auth.Validate(request, timeout=timeout)

    def verdict(self, secret, **fields) -> str:
        """The verdict's name without its prefix."""
        response = self.validate(secret, **fields)
        return auth_pb2.Verdict.Name(response.verdict).removeprefix("VERDICT_")

    def get_self(self, *headers, timeout=30):
        """As the holder of a token; `headers` are pairs."""
        return self.self.GetSelf(
            self_pb2.GetSelfRequest(), metadata=headers, timeout=timeout
        )

    def revoke_self(self, *headers, timeout=30, **fields):
        """As the holder of a token; `headers` are pairs."""
        return self.self.RevokeSelf(
            self_pb2.RevokeSelfRequest(**fields),
            metadata=headers,
            timeout=timeout,
        )

    def serving(self, service="", timeout=2) -> bool:
        return self._health(service, timeout) == SERVING

    def not_serving(self, service="", timeout=2) -> bool:
        """Whether it says so: not if it says nothing."""
        return self._health(service, timeout) == NOT_SERVING

    def _health(self, service, timeout):
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            return self.health.Check(request, timeout=timeout).status
        except grpc.RpcError:
            return None

    def raw_call(self, method, payload: bytes, timeout=10):
        """Sends bytes that need not be a message."""
        call = self.channel.unary_unary(
            method,
            request_serializer=lambda bytes_: bytes_,
            response_deserializer=lambda bytes_: bytes_,
        )
        return call(payload, timeout=timeout)


@contextlib.contextmanager
def failing(code: grpc.StatusCode, reason: str):
    """Expects a call in its block to fail; yields a list for the Failure."""
    found = []
    with pytest.raises(grpc.RpcError) as raised:
        yield found
    failure = evidence.Failure(raised.value)
    found.append(failure)
    assert failure.code == code, str(failure)
    assert failure.reason == reason, str(failure)
    assert len(failure.infos) == 1, str(failure)
    assert failure.infos[0].domain == "tokens.wemasy.com"


def invalid():
    """Expects INVALID_ARGUMENT for a field of the request."""
    return failing(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
