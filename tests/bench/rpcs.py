"""The server's rpcs that gateways call, each beside an empty one."""

import pathlib
import statistics

import grpc
from measuring import cpu_seconds, h2load, spread, take_turns
from messages import (
    CHECK,
    EMPTY,
    VALIDATE,
    check_request,
    frame,
    validate_request,
)
from world import create_token


def measure(world, quick: bool) -> dict:
    # Short turns: the machine's speed drifts within seconds.
    rounds, calls = (9, 10_000) if quick else (41, 15_000)
    with world.tokend() as server:
        secret = create_token(server)
        check_verdict(server, secret)
        return compare_with_empty(server, secret, world.folder, rounds, calls)


class Load:
    """One path of the server, driven by h2load."""

    def __init__(self, server, path: str, body: bytes, folder: pathlib.Path):
        self._server = server
        self._path = path
        self._folder = folder
        self._body = folder / (path.rpartition("/")[2] + ".bin")
        self._body.write_bytes(frame(body))

    # The server gives its connections to eight queues in turn: two for each rpc
    # that is measured, and two of its own. With sixteen, every turn finds them
    # spread alike.
    def run(self, calls: int) -> dict:
        pid = self._server.process.pid
        before = cpu_seconds(pid)
        seen = h2load(
            f"http://{self._server.target}{self._path}",
            calls,
            self._folder,
            ["content-type: application/grpc", "te: trailers"],
            self._body,
            clients=16,
        )
        cpu = cpu_seconds(pid) - before
        return {**seen, "cpu_us": cpu / calls * 1e6}


def compare_with_empty(server, secret: str, folder, rounds, calls) -> dict:
    loads = {
        "empty": Load(server, EMPTY, b"", folder),
        "validate": Load(server, VALIDATE, validate_request(secret), folder),
        "check": Load(server, CHECK, check_request(secret), folder),
    }
    results = take_turns(loads, rounds, calls)

    figures = {}
    for name, runs in results.items():
        for figure in runs[0]:
            figures[f"{name}_{figure}"] = statistics.median(
                run[figure] for run in runs
            )
    for ours, theirs, figure, key in (
        ("validate", "empty", "throughput", "throughput"),
        ("validate", "empty", "cpu_us", "cpu"),
        ("check", "validate", "cpu_us", "cpu"),
    ):
        ratios = [
            run[figure] / other[figure]
            for run, other in zip(results[ours], results[theirs])
        ]
        figures.update(spread(f"{ours}_{key}_vs_{theirs}", ratios))
    return figures


def check_verdict(server, secret: str):
    """h2load takes every answer for a good one."""
    with server.client() as client:
        verdict = client.verdict(secret)
    if verdict != "VALID":
        raise RuntimeError(f"the token to measure with is {verdict}")
    with grpc.insecure_channel(server.target) as channel:
        answer = channel.unary_unary(CHECK)(check_request(secret))
    if b"x-wemasy-token" not in answer:
        raise RuntimeError("the token to measure with does not pass Check")
