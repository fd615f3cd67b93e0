"""What is wrong with a request is said clearly, and changes nothing."""

import concurrent.futures
import time

import grpc
import pytest
from harness.client import invalid
from harness.stubs import token_pb2

SERVICE = "/wemasy.tokens.v1.TokenService"
NEVER_ISSUED = f"t{'0' * 26}"
YEAR = 365 * 24 * 3600


def timestamp(seconds, nanos=0):
    value = token_pb2.Token().expire_time
    value.seconds, value.nanos = int(seconds), nanos
    return value


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of fewer than 128 bytes on the wire."""
    return bytes([number << 3 | 2, len(content)]) + content


# --- Names and texts


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " leading",
        "trailing ",
        "x" * 101,
        "é" * 101,
        "tab\there",
        "line\nfeed",
        "null\0",
        "escape\x1b[2J",
        "delete\x7f",
        "c1\x85",
    ],
)
def test_display_name_is_checked(client, project, name):
    with invalid() as found:
        client.create(project, name)
    assert found[0].fields and set(found[0].fields) == {"token.display_name"}
    assert not client.list_all(project)
    token = client.create(project).token
    with invalid() as found:
        client.update(token.name, ["display_name"], display_name=name)
    assert set(found[0].fields) == {"token.display_name"}
    assert client.get(token.name) == token


@pytest.mark.parametrize(
    "name", ["x", "x" * 100, "é" * 100, "👩‍💻 ملف", "<img onerror=x>"]
)
def test_any_other_display_name_is_kept(client, project, name):
    token = client.create(project, name).token
    assert client.get(token.name).display_name == name


def test_text_that_is_not_utf8(server, client, project):
    token = field(2, b"bad\xff\xfename")
    request = (
        field(1, f"projects/{project}".encode())
        + field(2, token)
        + field(3, b"user-7")
    )
    with pytest.raises(grpc.RpcError) as raised:
        client.raw_call(f"{SERVICE}/CreateToken", request)
    # Protocol buffers cannot parse it, so that gRPC answers, as it does to any
    # bytes that are no message. The service never hears of the call.
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert not client.list_all(project)
    # Nor does the library write between the lines of the log.
    assert all(line.startswith("{") for line in server.log().splitlines())


@pytest.mark.parametrize(
    "fields, wrong",
    [
        ({"description": "x" * 1001}, "token.description"),
        ({"description": "null\0"}, "token.description"),
        ({"actor": ""}, "actor"),
        ({"actor": "x" * 129}, "actor"),
        ({"actor": "é"}, "actor"),
        ({"request_id": "not a uuid"}, "request_id"),
        ({"request_id": "x" * 36}, "request_id"),
        ({"metadata": {f"k{i}": "v" for i in range(17)}}, "token.metadata"),
        ({"metadata": {"": "v"}}, "token.metadata"),
        ({"metadata": {"Upper": "v"}}, "token.metadata"),
        ({"metadata": {"k" * 64: "v"}}, "token.metadata"),
        ({"metadata": {"k": "v" * 257}}, "token.metadata[k]"),
        ({"metadata": {"k": "line\nfeed"}}, "token.metadata[k]"),
        ({"scopes": [f"s{i}" for i in range(65)]}, "token.scopes"),
        ({"scopes": ["good", ""]}, "token.scopes[1]"),
        ({"scopes": ["Upper"]}, "token.scopes[0]"),
        ({"scopes": ["9digit"]}, "token.scopes[0]"),
        ({"scopes": ["with space"]}, "token.scopes[0]"),
        ({"scopes": ["s" * 65]}, "token.scopes[0]"),
        ({"scopes": ["é"]}, "token.scopes[0]"),
    ],
)
def test_other_fields_are_checked(client, project, fields, wrong):
    with invalid() as found:
        client.create(project, **fields)
    assert set(found[0].fields) == {wrong}
    assert not client.list_all(project)


def test_all_faults_are_reported_at_once(client, project):
    with invalid() as found:
        client.create(project, "", actor="", scopes=["Bad"])
    assert set(found[0].fields) == {
        "token.display_name",
        "actor",
        "token.scopes[0]",
    }


def test_at_the_limits_is_fine(client, project):
    token = client.create(
        project,
        description="d" * 1000,
        scopes=[f"s{i}" for i in range(63)] + ["s" * 64],
        metadata={f"{i:x}".rjust(63, "k"): "v" * 256 for i in range(16)},
        actor="a" * 128,
    ).token
    assert len(client.get(token.name).scopes) == 64


# --- Resource names


@pytest.mark.parametrize(
    "name",
    [
        "",
        "projects",
        "projects/",
        "projects/demo",
        "projects/demo/tokens",
        "projects/demo/tokens/",
        "projects/demo/tokens/x",
        f"projects/demo/tokens/{NEVER_ISSUED}/",
        f"projects/demo/tokens/{NEVER_ISSUED}0",
        f"projects/demo/tokens/{NEVER_ISSUED.upper()}",
        f"projects/Demo/tokens/{NEVER_ISSUED}",
        f"projects/-/tokens/{NEVER_ISSUED}",
        f"projects//tokens/{NEVER_ISSUED}",
        f"projects/-demo/tokens/{NEVER_ISSUED}",
        f"projects/{'p' * 64}/tokens/{NEVER_ISSUED}",
        f"/projects/demo/tokens/{NEVER_ISSUED}",
        f"projects/demo/token/{NEVER_ISSUED}",
        f"projects/de mo/tokens/{NEVER_ISSUED}",
        f"projects/demo'--/tokens/{NEVER_ISSUED}",
        f"projects/dé/tokens/{NEVER_ISSUED}",
        "x" * 100_000,
    ],
)
def test_malformed_token_names(client, name):
    for call, wrong in (
        (lambda: client.get(name), "name"),
        (lambda: client.revoke(name), "name"),
        (lambda: client.rotate(name), "name"),
        (lambda: client.update(name, display_name="x"), "token.name"),
    ):
        with invalid() as found:
            call()
        assert found[0].fields == [wrong]


@pytest.mark.parametrize(
    "project_id", ["", "-x", "x-", "UPPER", "a_b", "a.b", "a/b", "p" * 64, "é"]
)
def test_malformed_projects(client, project_id):
    for call in (
        lambda: client.create(project_id),
        lambda: client.list(project_id),
        lambda: client.audit(project_id),
    ):
        with invalid() as found:
            call()
        assert found[0].fields == ["parent"]


def test_no_token_in_all_projects(client):
    with invalid():
        client.create("-")


# --- Numbers and times


def test_page_sizes(client, project):
    for size in (-1, -(2**31)):
        with invalid() as found:
            client.list(project, page_size=size)
        assert found[0].fields == ["page_size"]
        with invalid():
            client.audit(project, page_size=size)
    client.create(project)
    for size in (0, 1000, 1001, 2**31 - 1):
        assert len(client.list(project, page_size=size).tokens) == 1


def test_a_page_has_at_most_1000(client, project):
    with concurrent.futures.ThreadPoolExecutor(16) as executor:
        list(
            executor.map(lambda i: client.create(project, f"t{i}"), range(1005))
        )
    assert len(client.list(project).tokens) == 50
    for size in (1001, 2**31 - 1):
        page = client.list(project, page_size=size)
        assert len(page.tokens) == 1000
        assert page.next_page_token
    assert len(client.list_all(project, page_size=1000)) == 1005


@pytest.mark.parametrize(
    "text",
    [
        "state",
        "state =",
        "state = BOGUS",
        "state = ACTIVE OR state = REVOKED",
        "name = 'x'",
        'creator = "unclosed',
        'expire_time < "yesterday"',
        "state = ACTIVE AND",
        "x" * 1001,
        "'; DROP TABLE tokens; --",
    ],
)
def test_bad_filters(client, project, text):
    with invalid() as found:
        client.list(project, filter=text)
    assert set(found[0].fields) == {"filter"}


@pytest.mark.parametrize(
    "offset, nanos",
    [
        (-1, 0),
        (-YEAR, 0),
        (11 * YEAR, 0),
        (YEAR, -1),
        (YEAR, 1_000_000_000),
        (YEAR, 2**31 - 1),
        (2**62, 0),
        (-(2**62), 0),
        (253402300800 - 1_800_000_000, 0),
    ],
)
def test_expire_times(client, project, offset, nanos):
    when = timestamp(time.time() + offset, nanos)
    with invalid() as found:
        client.create(project, expire_time=when)
    assert set(found[0].fields) == {"token.expire_time"}
    assert not client.list_all(project)
    token = client.create(project).token
    with invalid() as found:
        client.update(token.name, ["expire_time"], expire_time=when)
    assert set(found[0].fields) == {"token.expire_time"}
    assert client.get(token.name) == token


def test_expire_time_is_kept_to_the_microsecond(client, project):
    when = timestamp(time.time() + YEAR, 123_456_789)
    token = client.create(project, expire_time=when).token
    assert token.expire_time.nanos == 123_456_000
    assert client.get(token.name).expire_time == token.expire_time


@pytest.mark.parametrize("seconds", [-1, 7 * 24 * 3600 + 1, 2**40])
def test_grace_periods(client, project, seconds):
    token = client.create(project).token
    with invalid() as found:
        client.rotate(token.name, grace_seconds=seconds)
    assert found[0].fields == ["grace_period"]
