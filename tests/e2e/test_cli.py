"""tokenctl: what it prints where, its exit codes, and that no secret is ever
one of its arguments."""

import json
import re
import subprocess
import time

import pytest
from harness import paths
from harness.commands import tokenctl

SECRET = re.compile(r"wmsy_[0-9A-Za-z]{36}")
UNKNOWN = f"projects/demo/tokens/t{'0' * 26}"
# Has the form of a token, and was never issued.
FORGED = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"

OK, ERROR, USAGE, REFUSED, NOT_FOUND, UNAVAILABLE = range(6)


class Nowhere:
    """A server's stand-in where nobody listens."""

    target = "127.0.0.1:1"


@pytest.fixture(params=["plaintext", "mtls"])
def ctl(request, certificates):
    """Runs tokenctl against a server."""
    if request.param == "plaintext":
        server, certificate = request.getfixturevalue("server"), None
    else:
        server = request.getfixturevalue("tls_server")
        certificate = certificates["all"]

    def run(*arguments, **options):
        return tokenctl(server, *arguments, certificate=certificate, **options)

    return run


def test_life_by_tokenctl(ctl, project):
    created = ctl(
        "create",
        "--project",
        project,
        *("--name", "CI deploy", "--scope", "pages:read", "--expires", "90d"),
        *("--scope", "pages:write", "--metadata", "tier=gold"),
    )
    assert created.returncode == OK, created.stderr
    # The secret alone, so that it can be piped.
    assert SECRET.fullmatch(created.stdout.removesuffix("\n"))
    secret = created.stdout
    assert secret.strip() not in created.stderr
    name = re.search(r"projects/\S+", created.stderr).group()
    token_id = name.rpartition("/")[2]

    valid = ctl("validate", "--project", project, stdin=secret)
    assert valid.returncode == OK
    assert "VALID" in valid.stdout
    assert name in valid.stdout
    assert "tier=gold" in valid.stdout
    lacking = ctl("validate", "--scope", "pages:admin", stdin=secret)
    assert lacking.returncode == REFUSED
    assert "INSUFFICIENT_SCOPE" in lacking.stdout
    foreign = ctl("validate", "--project", "other", stdin=secret)
    assert foreign.returncode == REFUSED
    quiet = ctl("validate", "--quiet", stdin=secret)
    assert (quiet.returncode, quiet.stdout) == (OK, "")

    listed = ctl("list", "--project", f"projects/{project}")
    assert listed.returncode == OK
    head, row = listed.stdout.splitlines()
    assert head.startswith("ID")
    assert token_id in row and "CI deploy" in row and "ACTIVE" in row
    assert secret.strip()[-4:] in row

    shown = ctl("get", "--project", project, token_id, "--json")
    token = json.loads(shown.stdout)["token"]
    assert token["name"] == name
    assert token["scopes"] == ["pages:read", "pages:write"]
    days = 90 * 24 * 3600
    expiry = time.strptime(token["expireTime"][:19], "%Y-%m-%dT%H:%M:%S")
    created_at = time.strptime(token["createTime"][:19], "%Y-%m-%dT%H:%M:%S")
    assert abs(time.mktime(expiry) - time.mktime(created_at) - days) < 7200

    updated = ctl(
        "update",
        name,
        *("--display-name", "CI", "--clear-scopes", "--expires", "never"),
        *("--etag", token["etag"], "--json"),
    )
    assert updated.returncode == OK, updated.stderr
    token = json.loads(updated.stdout)["token"]
    assert token["displayName"] == "CI"
    assert token["scopes"] == []
    assert token.get("expireTime") is None
    stale = ctl("update", name, "--display-name", "x", "--etag", '"stale"')
    assert stale.returncode == ERROR
    assert "ETAG_MISMATCH" in stale.stderr

    rotated = ctl("rotate", name, "--grace", "1h", "--json")
    assert rotated.returncode == OK, rotated.stderr
    new_secret = json.loads(rotated.stdout)["secret"]
    assert SECRET.fullmatch(new_secret)
    assert ctl("validate", stdin=secret).returncode == OK
    assert ctl("validate", stdin=new_secret).returncode == OK

    revoked = ctl(
        "revoke",
        name,
        *("--reason", "COMPROMISED", "--comment", "laptop stolen"),
    )
    assert revoked.returncode == OK, revoked.stderr
    assert "REVOKED" in revoked.stdout and "laptop stolen" in revoked.stdout
    assert "acknowledged" in revoked.stdout
    for dead in (secret, new_secret):
        refused = ctl("validate", stdin=dead)
        assert refused.returncode == REFUSED
        assert "REVOKED" in refused.stdout
        assert name in refused.stdout

    audit = ctl("audit", "--project", project)
    assert audit.returncode == OK
    assert [line.split()[1] for line in audit.stdout.splitlines()[1:]] == [
        "CREATED",
        "UPDATED",
        "ROTATED",
        "REVOKED",
    ]
    cursor = audit.stderr.split()[-1]
    rest = ctl("audit", "--project", project, "--resume-token", cursor)
    assert len(rest.stdout.splitlines()) == 1


def test_revoke_leaked_by_lines(ctl, project, tmp_path):
    secrets = [
        ctl("create", "--project", project, "--name", f"leak {i}").stdout
        for i in range(3)
    ]
    found = tmp_path / "found"
    found.write_text("".join(secrets[:2]) + FORGED + "\n", encoding="utf-8")
    done = ctl("revoke-leaked", "--secret-file", str(found), "--source", "grep")
    assert done.returncode == OK, done.stderr
    outcomes = [line.split()[1] for line in done.stdout.splitlines()[1:]]
    assert outcomes == ["REVOKED", "REVOKED", "UNKNOWN"]
    assert not SECRET.search(done.stdout + done.stderr)
    assert ctl("validate", stdin=secrets[0]).returncode == REFUSED
    assert ctl("validate", stdin=secrets[2]).returncode == OK


def test_list_shows_every_page(server, client, project):
    for i in range(3):
        client.create(project, f"t{i}")
    everything = tokenctl(server, "list", "--project", project, "--json")
    assert len(json.loads(everything.stdout)["tokens"]) == 3
    two = tokenctl(
        server, "list", "--project", project, "--json", "--limit", "2"
    )
    page = json.loads(two.stdout)
    assert len(page["tokens"]) == 2
    assert page["nextPageToken"]
    none = tokenctl(
        server, "list", "--project", project, "--json", "--state", "revoked"
    )
    assert json.loads(none.stdout)["tokens"] == []


def test_exit_codes(server, project):
    def code(*arguments, **options):
        return tokenctl(server, *arguments, **options).returncode

    assert code("health") == OK
    assert code("create", "--project", project, "--name", "") == ERROR
    assert code("bogus") == USAGE
    assert code() == USAGE
    assert code("get") == USAGE
    assert code("update", UNKNOWN) == USAGE
    assert code("create", "--project", project, "--name", "x", "y") == USAGE
    assert code("validate", stdin="") == USAGE
    assert code("validate", stdin="two\nlines\n") == USAGE
    assert code("validate", stdin="é") == USAGE
    assert code("validate", stdin=FORGED) == REFUSED
    assert code("validate", stdin="not a token") == REFUSED
    assert code("get", UNKNOWN) == NOT_FOUND
    assert code("revoke", UNKNOWN) == NOT_FOUND
    for command in (["health"], ["get", UNKNOWN]):
        assert tokenctl(Nowhere, *command).returncode == UNAVAILABLE
    assert tokenctl(Nowhere, "validate", stdin=FORGED).returncode == UNAVAILABLE
    help_text = tokenctl(server, "--help")
    assert help_text.returncode == OK
    for number in range(6):
        assert f"\n  {number}  " in help_text.stdout


def test_errors_say_reason_and_fields(server, project):
    done = tokenctl(server, "create", "--project", project, "--name", "x" * 101)
    assert done.returncode == ERROR
    assert done.stdout == ""
    assert "INVALID_ARGUMENT" in done.stderr
    assert "FIELD_INVALID" in done.stderr
    assert "token.display_name" in done.stderr
    assert "101" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "create",
        "list",
        "get",
        "update",
        "revoke",
        "rotate",
        "validate",
        "revoke-leaked",
        "audit",
        "health",
    ],
)
def test_every_command_has_help_with_examples(server, command):
    done = tokenctl(server, command, "--help")
    assert done.returncode == OK
    assert f"tokenctl {command}" in done.stdout.partition("Examples:")[2]


def test_a_secret_as_argument_is_refused(server, client, project):
    secret = client.create(project).secret
    for arguments in (
        ["validate", secret],
        ["validate", f"--secret-file={secret}"],
        ["revoke-leaked", secret],
        ["get", secret],
        ["create", "--project", project, "--name", secret],
    ):
        done = tokenctl(server, *arguments)
        assert done.returncode == USAGE
        assert secret not in done.stdout + done.stderr
        assert "argument" in done.stderr
    assert client.verdict(secret) == "VALID"


def test_plain_text_to_other_machines_is_refused(server):
    class Elsewhere:
        target = "tokens.example:7443"

    done = tokenctl(Elsewhere, "validate", stdin=FORGED)
    assert done.returncode == USAGE
    assert "plain text" in done.stderr


def test_a_lost_reply_costs_no_second_token(server, client, project):
    """The same request id, after an attempt that the client gave up on."""
    request_id = "7b0c3a52-94d3-4f6c-9d38-0e6d1c6c5a11"
    arguments = [
        *("create", "--project", project, "--name", "again"),
        *("--request-id", request_id),
    ]
    first = tokenctl(server, *arguments)
    second = tokenctl(server, *arguments)
    assert first.returncode == second.returncode == OK
    assert len(client.list_all(project)) == 1
    assert client.verdict(first.stdout.strip()) == "REVOKED"
    assert client.verdict(second.stdout.strip()) == "VALID"


def test_a_failed_create_says_how_to_repeat_it(server, client, project):
    """To the same end, though the first was told it as a span."""
    arguments = ["create", "--project", project, "--name", "again"]
    failed = tokenctl(Nowhere, *arguments, "--expires", "90d")
    assert failed.returncode == UNAVAILABLE
    hint = re.search(r"the same command with (.*)", failed.stderr).group(1)
    assert "--request-id" in hint and "--expires" in hint
    done = [tokenctl(server, *arguments, *hint.split()) for _ in range(2)]
    assert [d.returncode for d in done] == [OK, OK], done[1].stderr
    assert len(client.list_all(project)) == 1


@pytest.mark.parametrize("command", ["list", "audit"])
def test_what_could_not_be_written_is_an_error(server, client, project, command):
    client.create(project)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [
                *(paths.binary("tokenctl"), f"--server={server.target}"),
                *(command, "--project", project),
            ],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == ERROR
    assert "could not be written" in done.stderr


def test_actor_is_the_user_unless_said(server, client, project):
    tokenctl(server, "create", "--project", project, "--name", "a")
    tokenctl(
        server,
        *("create", "--project", project, "--name", "b", "--actor", "ada"),
    )
    creators = [token.creator for token in client.list_all(project)]
    assert creators == ["ada", "user-7"]


def test_project_by_environment(server, client, project):
    client.create(project)
    done = tokenctl(server, "list", "--json", env={"TOKENCTL_PROJECT": project})
    assert len(json.loads(done.stdout)["tokens"]) == 1
