"""Channels to the service, with the settings that it wants of its clients."""

import importlib.resources
import os
import re
from typing import Any

import grpc
import grpc.aio

# Round robin and retries, as the service's operators publish it.
SERVICE_CONFIG = (
    importlib.resources.files(__package__)
    .joinpath("service_config.json")
    .read_text(encoding="utf-8")
)

_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", SERVICE_CONFIG),
    # Not the one that a name service may have.
    ("grpc.service_config_disable_resolution", 1),
    # Channels of equal settings share connections otherwise.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC's default backs off for up to two minutes, in which a server that is
    # back would not be used.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # How long an attempt to connect may take, in spite of its name.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    # Finds a dead connection; servers take a ping every 10 s at most, also
    # without calls.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Without, gRPC holds back after two.
    ("grpc.http2.max_pings_without_data", 0),
]
# A proxy may be on another machine.
_PLAINTEXT_OPTIONS = [*_OPTIONS, ("grpc.enable_http_proxy", 0)]

_THIS_MACHINE = re.compile(
    r"unix:.+|(dns:(///)?|ipv[46]:)?"
    r"((?i:localhost)|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"
)


def connect(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.Channel:
    """Returns a channel for the stubs of `wemasy.tokens.v1`.

    `target` is `host:port`, or another name as gRPC has them; with several
    addresses, calls go round robin. Without `credentials` it is plaintext:
    raises ValueError then if `target` is not loopback or a Unix socket. Returns
    at once: a server that is away shows when calls fail with UNAVAILABLE.

    Calls are retried as `service_config.json` of this package says, and by
    themselves have no deadline: give each a `timeout`. As CreateToken and
    RotateToken are retried too, set their `request_id`.

    The channel has connections of its own, so that calls which wait do not
    hold up those of another channel. It is thread-safe; close it, or use it as
    a context manager.
    """
    check_target(target, credentials)
    if credentials is None:
        return grpc.insecure_channel(target, _PLAINTEXT_OPTIONS)
    return grpc.secure_channel(target, credentials, _OPTIONS)


def connect_async(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """Returns a channel for asyncio; otherwise as `connect`.

    Call it in the event loop that shall use the channel, and close it there.
    """
    check_target(target, credentials)
    if credentials is None:
        return grpc.aio.insecure_channel(target, _PLAINTEXT_OPTIONS)
    return grpc.aio.secure_channel(target, credentials, _OPTIONS)


def check_target(
    target: str, credentials: grpc.ChannelCredentials | None
) -> None:
    """Raises ValueError if plaintext would leave this machine."""
    if credentials is None and not _THIS_MACHINE.fullmatch(target):
        raise ValueError(
            f"target is {target}, want loopback or a Unix socket, or credentials"
        )


def tls_credentials(
    ca: str | os.PathLike[str],
    certificate: str | os.PathLike[str],
    key: str | os.PathLike[str],
) -> grpc.ChannelCredentials:
    """Returns credentials for mutual TLS from three PEM files.

    `ca` signed the servers' certificates; `certificate`, with its chain, and
    `key` are the caller's own. The files are read now: when they are renewed,
    make a new client. Raises OSError if one cannot be read; what is in them
    shows when calls fail with UNAVAILABLE.
    """
    ca_pem, certificate_pem, key_pem = map(_read, (ca, certificate, key))
    return grpc.ssl_channel_credentials(ca_pem, key_pem, certificate_pem)


def _read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()
