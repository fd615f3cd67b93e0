"""Channels to the service, with the settings that it wants of its clients."""

import importlib.resources
import os
from typing import Any

import grpc
import grpc.aio

# Round robin and retries, as the service's operators publish it.
SERVICE_CONFIG = (
    importlib.resources.files(__package__)
    .joinpath("service_config.json")
    .read_text(encoding="utf-8")
)


def connect(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.Channel:
    """Returns a channel for the stubs of `wemasy.tokens.v1`.

    `target` is `host:port`, or another name as gRPC has them; with several
    addresses, calls go round robin. Without `credentials` it is plaintext,
    which is for this machine only. Returns at once: a server that is away
    shows when calls fail with UNAVAILABLE.

    Calls are retried as `service_config.json` of this package says, and by
    themselves have no deadline: give each a `timeout`. As CreateToken and
    RotateToken are retried too, set their `request_id`.

    The channel has connections of its own, so that calls which wait do not
    hold up those of another channel. It is thread-safe; close it, or use it as
    a context manager.
    """
    if credentials is None:
        return grpc.insecure_channel(target, _options())
    return grpc.secure_channel(target, credentials, _options())


def connect_async(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """Returns a channel for asyncio; otherwise as `connect`.

    Call it in the event loop that shall use the channel, and close it there.
    """
    if credentials is None:
        return grpc.aio.insecure_channel(target, _options())
    return grpc.aio.secure_channel(target, credentials, _options())


def tls_credentials(
    ca: str | os.PathLike[str],
    certificate: str | os.PathLike[str],
    key: str | os.PathLike[str],
) -> grpc.ChannelCredentials:
    """Returns credentials for mutual TLS from three PEM files.

    `ca` signed the servers' certificates; `certificate`, with its chain, and
    `key` are the caller's own. The files are read now. Raises OSError if one
    cannot be read; what is in them shows when calls fail with UNAVAILABLE.
    """
    ca_pem, certificate_pem, key_pem = map(_read, (ca, certificate, key))
    return grpc.ssl_channel_credentials(ca_pem, key_pem, certificate_pem)


def _read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _options() -> list[tuple[str, Any]]:
    return [
        ("grpc.service_config", SERVICE_CONFIG),
        # Not the one that a name service may have.
        ("grpc.service_config_disable_resolution", 1),
        # Channels of equal settings share connections otherwise.
        ("grpc.use_local_subchannel_pool", 1),
        # Finds a dead connection; servers take a ping every 10 s at most.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 5_000),
    ]
