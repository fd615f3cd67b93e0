"""Validate beside the empty rpc over mutual TLS, and without, by ghz: h2load
has no certificate to show.

ghz takes more of the two processors than the server does, so that it is the
server's CPU time that counts here, not how many calls there are in a second.
Connecting, once for 16 connections in each run, is in it for both rpcs.
"""

import itertools

from harness.certificates import DOMAIN, Authority
from loads import GhzLoad, medians, ratios
from measuring import cpu_seconds, take_turns
from messages import EMPTY, VALIDATE
from tokens import create_token, expect_verdicts


def measure(world, quick: bool) -> dict:
    rounds, calls = (3, 10_000) if quick else (15, 15_000)
    authority = Authority(world.folder / "ca")
    own = authority.issue("server", "DNS:localhost,IP:127.0.0.1")
    caller = authority.issue("all", f"URI:{DOMAIN}/all")
    with (
        world.tokend("plaintext") as plaintext,
        world.tokend("mutual_tls", own) as mutual_tls,
    ):
        secret, _ = create_token(plaintext)
        loads = {}
        for name, server, certificate in (
            ("ghz", plaintext, None),
            ("mtls", mutual_tls, caller),
        ):
            for rpc, path, request in (
                ("empty", EMPTY, {}),
                ("validate", VALIDATE, {"token": secret}),
            ):
                loads[f"{name}_{rpc}"] = GhzLoad(
                    server.target,
                    lambda pid=server.process.pid: cpu_seconds(pid),
                    path,
                    itertools.repeat([request]),
                    world.folder,
                    certificate,
                )
        given = {"valid": (rounds + 1) * calls}
        with (
            expect_verdicts(plaintext, given),
            expect_verdicts(mutual_tls, given),
        ):
            results = take_turns(loads, rounds, calls)

    figures = medians(results)
    for setting, name in (("ghz", "ghz_validate"), ("mtls", "validate_mtls")):
        for figure, key in (("cpu_us", "cpu"), ("throughput", "throughput")):
            figures |= ratios(
                results,
                f"{setting}_validate",
                f"{setting}_empty",
                figure,
                f"{name}_{key}_vs_empty",
            )
    return figures
