"""The life of tokens at a real server."""

import dataclasses
import uuid
from typing import Any, Self

import grpc

from wemasy.tokens.v1 import (
    token_pb2,
    token_service_pb2,
    token_service_pb2_grpc,
)

ACTOR = "user-7"
# Well-formed; no server has ever issued it.
UNKNOWN = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"

_TIMEOUT_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Issued:
    """A token that was created."""

    name: str
    secret: str = dataclasses.field(repr=False)


class Service:
    """Creates and revokes tokens of one project."""

    def __init__(self, channel: grpc.Channel, project: str) -> None:
        self._stub = token_service_pb2_grpc.TokenServiceStub(channel)
        self.project = project

    @classmethod
    def new_project(cls, channel: grpc.Channel) -> Self:
        """Of a project that nobody else uses."""
        return cls(channel, f"projects/p-{uuid.uuid4().hex[:16]}")

    def create(self, *, request_id: str = "", **fields: Any) -> Issued:
        response = self._stub.CreateToken(
            token_service_pb2.CreateTokenRequest(
                parent=self.project,
                token=token_pb2.Token(display_name="token", **fields),
                actor=ACTOR,
                request_id=request_id or str(uuid.uuid4()),
            ),
            timeout=_TIMEOUT_SECONDS,
        )
        return Issued(response.token.name, response.secret)

    def revoke(self, token: Issued) -> None:
        self._stub.RevokeToken(
            token_service_pb2.RevokeTokenRequest(name=token.name, actor=ACTOR),
            timeout=_TIMEOUT_SECONDS,
        )

    def names(self) -> list[str]:
        """Of all tokens of the project."""
        response = self._stub.ListTokens(
            token_service_pb2.ListTokensRequest(parent=self.project),
            timeout=_TIMEOUT_SECONDS,
        )
        return [token.name for token in response.tokens]
