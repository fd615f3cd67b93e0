"""The rpcs that gateways call, each beside an empty one, and that beside a
server as one would first write it."""

import grpc
from harness.ports import free_port
from loads import Load, medians, ratios
from measuring import cpu_seconds, take_turns
from messages import (
    CHECK,
    EMPTY,
    PAYLOAD,
    VALIDATE,
    check_request,
    payload_request,
    validate_request,
)
from tokens import (
    create_revoked_token,
    create_token,
    expect_verdicts,
    mistyped,
    unissued_secrets,
)
from world import running


def measure(world, quick: bool) -> dict:
    # Short turns: the machine's speed drifts within seconds.
    rounds, calls = (9, 10_000) if quick else (31, 15_000)
    port = free_port()
    with world.tokend() as server, running("naive_echo", port) as naive:
        valid, _ = create_token(server)
        check_passes(server, valid)
        secrets = {
            "valid": valid,
            "unknown": next(unissued_secrets(seed=1)),
            "malformed": mistyped(valid),
            "revoked": create_revoked_token(server),
        }

        def load(path: str, request: bytes) -> Load:
            pid = server.process.pid
            return Load(
                server.target,
                lambda: cpu_seconds(pid),
                path,
                request,
                world.folder,
            )

        loads = {
            "empty": load(EMPTY, b""),
            "naive": Load(
                f"127.0.0.1:{port}",
                lambda: cpu_seconds(naive.pid),
                EMPTY,
                b"",
                world.folder,
            ),
            "check": load(CHECK, check_request(valid)),
            "payload": load(PAYLOAD, same_bytes(server, valid)),
        }
        for verdict, secret in secrets.items():
            loads[name_of(verdict)] = load(VALIDATE, validate_request(secret))
        # One run more is for warming up, and Check gives verdicts, too.
        given = dict.fromkeys(secrets, (rounds + 1) * calls)
        given["valid"] *= 2
        with expect_verdicts(server, given):
            results = take_turns(loads, rounds, calls)

    figures = medians(results)
    for name in map(name_of, secrets):
        for figure, key in (("throughput", "throughput"), ("cpu_us", "cpu")):
            figures |= ratios(
                results, name, "empty", figure, f"{name}_{key}_vs_empty"
            )
    for ours, theirs, figure, key in (
        ("validate", "payload", "cpu_us", "cpu"),
        ("validate", "payload", "throughput", "throughput"),
        ("check", "validate", "cpu_us", "cpu"),
        ("empty", "naive", "cpu_us", "cpu"),
        ("empty", "naive", "throughput", "throughput"),
    ):
        figures |= ratios(
            results, ours, theirs, figure, f"{ours}_{key}_vs_{theirs}"
        )
    return figures


def name_of(verdict: str) -> str:
    return "validate" + ("" if verdict == "valid" else f"_{verdict}")


def same_bytes(server, secret: str) -> bytes:
    """A request for PAYLOAD that is as long as Validate's of that token, and
    whose answer is as long as Validate's."""
    request = validate_request(secret)
    with grpc.insecure_channel(server.target) as channel:
        answer = channel.unary_unary(VALIDATE)(request)
        ours = payload_request(len(request), len(answer))
        theirs = channel.unary_unary(PAYLOAD)(ours)
    if (len(ours), len(theirs)) != (len(request), len(answer)):
        raise RuntimeError("the payload is not as long as Validate's")
    return ours


def check_passes(server, secret: str):
    """Not only does it find the token valid."""
    with grpc.insecure_channel(server.target) as channel:
        answer = channel.unary_unary(CHECK)(check_request(secret))
    if b"x-wemasy-token" not in answer:
        raise RuntimeError("the token to measure with does not pass Check")
