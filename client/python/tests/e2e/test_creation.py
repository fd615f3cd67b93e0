"""Creating tokens through the package's channels."""

import uuid

from harness.service import ACTOR, Service

from wemasy.tokens.v1 import (
    token_pb2,
    token_service_pb2,
    token_service_pb2_grpc,
)
from wemasy_tokens import (
    AsyncTokenClient,
    TokenClient,
    Verdict,
    connect,
    connect_async,
)


def test_a_creation_that_is_repeated_makes_one_token(target: str) -> None:
    with connect(target) as channel, TokenClient(target) as client:
        service = Service.new_project(channel)
        request_id = str(uuid.uuid4())
        first = service.create(request_id=request_id)
        again = service.create(request_id=request_id)
        assert again.name == first.name
        assert service.names() == [first.name]
        assert client.validate(first.secret).verdict is Verdict.REVOKED
        assert client.validate(again.secret).verdict is Verdict.VALID


async def test_stubs_on_a_channel_of_asyncio(
    target: str, service: Service
) -> None:
    request = token_service_pb2.CreateTokenRequest(
        parent=service.project,
        token=token_pb2.Token(display_name="token"),
        actor=ACTOR,
        request_id=str(uuid.uuid4()),
    )
    async with (
        connect_async(target) as channel,
        AsyncTokenClient(target) as client,
    ):
        stub = token_service_pb2_grpc.TokenServiceStub(channel)
        created = await stub.CreateToken(request, timeout=30)
        answer = await client.validate(created.secret)
    assert answer.token_name == created.token.name
    assert answer.verdict is Verdict.VALID
