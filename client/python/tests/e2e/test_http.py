"""Protected HTTP endpoints, before a real server, over real connections."""

import datetime
import http
from collections.abc import Iterator

import httpx
import pytest
from harness.http_server import APPS, bearer, http_client, serve_http
from harness.service import ACTOR, UNKNOWN, Issued, Service
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_websocket

from wemasy_tokens import AsyncTokenClient
from wemasy_tokens.asgi import Receive, Scope, Send, TokenMiddleware

REALM = 'Bearer realm="wemasy"'
INVALID = b'{"error":"a valid API token is required"}\n'


@pytest.fixture(scope="module", params=APPS)
def client(
    request: pytest.FixtureRequest, target: str
) -> Iterator[httpx.Client]:
    """Of Starlette's application, and of FastAPI's."""
    app = APPS[request.param](AsyncTokenClient(target))
    with serve_http(app) as address, http_client(address) as client:
        yield client


@pytest.fixture(scope="module")
def reader(service: Service) -> Issued:
    """A token that may read."""
    return service.create(scopes=["pages:read"])


def test_a_valid_token_passes_with_its_identity(
    client: httpx.Client, service: Service
) -> None:
    expire_time = datetime.datetime(2031, 2, 3, 4, 5, 6, 789, datetime.UTC)
    if expire_time < datetime.datetime.now(datetime.UTC):
        expire_time += datetime.timedelta(days=3650)
    token = service.create(
        scopes=["pages:write", "pages:read"],
        metadata={"team": "web"},
        expire_time=expire_time,
    )
    for headers in (bearer(token.secret), {"X-API-Key": token.secret}):
        response = client.get("/read", headers=headers)
        assert response.status_code == http.HTTPStatus.OK
        assert response.json() == {
            "name": token.name,
            "project": service.project,
            "creator": ACTOR,
            "scopes": ["pages:read", "pages:write"],
            "metadata": {"team": "web"},
            "expire_time": expire_time.isoformat(),
        }


def test_a_revoked_token_is_refused_by_the_very_next_request(
    client: httpx.Client, service: Service
) -> None:
    for _ in range(10):
        token = service.create()
        headers = bearer(token.secret)
        assert client.get("/any", headers=headers).is_success
        service.revoke(token)
        response = client.get("/any", headers=headers)
        assert response.status_code == http.HTTPStatus.UNAUTHORIZED
        assert response.content == INVALID


def test_tokens_that_do_not_work_are_refused_alike(
    client: httpx.Client, service: Service
) -> None:
    revoked = service.create()
    service.revoke(revoked)
    answers = set()
    for token in ("malformed", UNKNOWN, revoked.secret, "wmsy_\xff"):
        header = (b"Authorization", f"Bearer {token}".encode("latin-1"))
        response = client.get("/any", headers=[header])
        headers = sorted(
            (name, value)
            for name, value in response.headers.items()
            if name != "date"
        )
        answers.add((response.status_code, response.content, str(headers)))
        challenge = response.headers["www-authenticate"]
        assert challenge == f'{REALM}, error="invalid_token"'
    assert len(answers) == 1


def test_no_token(client: httpx.Client, reader: Issued) -> None:
    for headers in ({}, {"Authorization": "Basic dXNlcjpwYXNz"}):
        response = client.get(
            "/any", headers=headers, params={"access_token": reader.secret}
        )
        assert response.status_code == http.HTTPStatus.UNAUTHORIZED
        assert response.headers["www-authenticate"] == REALM
        assert response.content == INVALID


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer {0}"), ("Authorization", "Bearer {0}")],
        [("Authorization", "Bearer {0},Bearer {0}")],
        [("Authorization", "Bearer {0}"), ("X-Api-Key", "{0}")],
        [("Authorization", "Bearer {0} {0}")],
        [("Authorization", "Bearer")],
    ],
    ids=["apart", "joined", "two_headers", "space", "none"],
)
def test_what_is_not_one_token(
    client: httpx.Client, reader: Issued, headers: list[tuple[str, str]]
) -> None:
    response = client.get(
        "/any",
        headers=[
            (name, value.format(reader.secret)) for name, value in headers
        ],
    )
    assert response.status_code == http.HTTPStatus.BAD_REQUEST
    challenge = response.headers["www-authenticate"]
    assert challenge == f'{REALM}, error="invalid_request"'
    assert response.content == b'{"error":"more than one credential"}\n'


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/other", ""), ("/write", ', scope="pages:delete pages:write"')],
    ids=["another_project", "missing_scope"],
)
def test_what_a_token_may_not_do(
    client: httpx.Client, reader: Issued, path: str, scope: str
) -> None:
    response = client.get(path, headers=bearer(reader.secret))
    assert response.status_code == http.HTTPStatus.FORBIDDEN
    challenge = response.headers["www-authenticate"]
    assert challenge == f'{REALM}, error="insufficient_scope"{scope}'
    assert response.content == b'{"error":"the API token may not do this"}\n'


def test_a_misconfigured_route(client: httpx.Client, reader: Issued) -> None:
    response = client.get("/misconfigured", headers=bearer(reader.secret))
    assert response.status_code == http.HTTPStatus.INTERNAL_SERVER_ERROR
    assert response.content == b'{"error":"internal error"}\n'


@pytest.mark.parametrize("kind", APPS)
def test_the_service_is_away(
    kind: str, absent_target: str, reader: Issued
) -> None:
    app = APPS[kind](AsyncTokenClient(absent_target))
    with serve_http(app) as address, http_client(address) as client:
        response = client.get("/any", headers=bearer(reader.secret))
    assert response.status_code == http.HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["retry-after"] == "1"
    assert response.content == b'{"error":"try again in a moment"}\n'


def test_a_websocket(target: str, reader: Issued) -> None:
    async def greet(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        name = scope["state"]["token_identity"].name
        await send({"type": "websocket.send", "text": name})
        await send({"type": "websocket.close"})

    app = TokenMiddleware(greet, AsyncTokenClient(target))
    with serve_http(app) as address:
        url = f"ws://{address}/"
        headers = bearer(reader.secret)
        with connect_websocket(url, additional_headers=headers) as websocket:
            assert websocket.recv() == reader.name
        with pytest.raises(InvalidStatus) as raised, connect_websocket(url):
            pass
    response = raised.value.response
    assert response.status_code == http.HTTPStatus.UNAUTHORIZED
    assert response.headers["www-authenticate"] == REALM
    assert response.body == INVALID
