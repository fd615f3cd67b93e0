"""Which gateway ends what was let in before, once it has the configured age."""

KINDS = {
    "response": "a response that does not end",
    "response over HTTP/2": "the same over HTTP/2",
    "WebSocket": "a WebSocket",
    "upload": "a request's body that does not end",
}
# What it cannot end by age.
GOES_ON = {
    "nginx": set(KINDS),
    "traefik": {"WebSocket"},
}


def ends_by_age(gateway: str, kind: str) -> bool:
    return kind not in GOES_ON.get(gateway, ())
