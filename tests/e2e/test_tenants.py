"""Somebody else's tokens and pages look like none."""

import random
import string

import grpc
from harness.client import failing


def test_a_foreign_token_looks_like_none(client, project):
    """Byte for byte, in every rpc that takes a name."""
    foreign = client.create(f"{project}-b").token
    foreign_id = foreign.name.rpartition("/")[2]
    client.create(project)
    rng = random.Random(7)
    digits = string.digits + string.ascii_lowercase[:22]
    never_id = "t0" + "".join(rng.choices(digits, k=25))
    calls = {
        "get": client.get,
        "revoke": client.revoke,
        "rotate": client.rotate,
        "update": lambda name: client.update(
            name, ["display_name"], display_name="mine now"
        ),
        "update_with_etag": lambda name: client.update(
            name, ["display_name"], display_name="mine now", etag=foreign.etag
        ),
    }
    for rpc, call in calls.items():
        answers = []
        for token_id in (foreign_id, never_id):
            name = f"projects/{project}/tokens/{token_id}"
            with failing(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND") as found:
                call(name)
            assert found[0].metadata == {"name": name}
            answers.append(
                (
                    found[0].message.replace(token_id, "ID"),
                    found[0].raw.replace(token_id.encode(), b"ID"),
                )
            )
        assert answers[0] == answers[1], rpc
    assert foreign.name not in {t.name for t in client.list_all(project)}
    assert client.get(foreign.name) == foreign
    events = client.audit(project).audit_events
    assert foreign.name not in {event.token for event in events}


def test_a_page_token_is_bound_to_its_listing(client, project):
    for i in range(3):
        client.create(project, f"t{i}")
        client.create(f"{project}-b", f"t{i}")
    page_token = client.list(project, page_size=1).next_page_token
    assert page_token
    wrong = (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    with failing(*wrong):
        client.list(f"{project}-b", page_token=page_token)
    with failing(*wrong):
        client.list(project, page_token=page_token, filter="state = ACTIVE")
    with failing(*wrong):
        client.list("-", page_token=page_token)
    with failing(*wrong):
        client.audit(project, page_token=page_token)
    audit_token = client.audit(project, page_size=1).next_page_token
    with failing(*wrong):
        client.audit(f"{project}-b", page_token=audit_token)
    with failing(*wrong):
        client.list(project, page_token=audit_token)
    for forged in (
        "x",
        "AAAA",
        "é",
        page_token[:-1],
        page_token + "A",
        page_token.swapcase(),
        "x" * 10_000,
    ):
        with failing(*wrong):
            client.list(project, page_token=forged)
        with failing(*wrong):
            client.audit(project, page_token=forged)
    # Another size is fine.
    rest = client.list(project, page_size=50, page_token=page_token)
    assert len(rest.tokens) == 2
