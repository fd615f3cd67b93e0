"""What the rules of the checker share: what was acknowledged, and when."""

import collections
import dataclasses

from history import FORGED, NEVER, SECOND, History

# How long service may be away, beyond the lease's length.
SLACK = 2 * SECOND

# How long changes elsewhere may wait for the locks of a server that fell silent
# in its transactions: each of its sessions may get the lock in its turn, and
# keeps it until PostgreSQL ends it.
LOCK_WAIT = 2 * SECOND


@dataclasses.dataclass
class Violation:
    rule: str
    at: int
    text: str


def intents(history: History) -> dict[int, list]:
    found = collections.defaultdict(list)
    for mutation in list(history.mutations):
        found[mutation.intent].append(mutation)
    return found


@dataclasses.dataclass
class Facts:
    """When what was acknowledged, by secret or token, for all rules."""

    # By token: the first acknowledged revoke, and the first one asked for.
    revoked: dict
    revoke_asked: dict
    # By secret: the same for rotations that replaced it.
    replaced: dict
    replace_asked: dict
    # By (token, scope): the same for updates that took the scope away.
    narrowed: dict
    narrow_asked: dict
    # By secret: when it was issued.
    issued: dict


def gather(history: History) -> Facts:
    facts = Facts(*({} for _ in dataclasses.fields(Facts)))
    by_token = collections.defaultdict(list)
    for mutation in list(history.mutations):
        if mutation.secret != FORGED and mutation.outcome == "OK":
            facts.issued[mutation.secret] = mutation.ret
            by_token[mutation.token].append(mutation.secret)

    def earliest(table, key, time):
        table[key] = min(table.get(key, NEVER), time)

    for mutation in list(history.mutations):
        confirmed = mutation.ret if mutation.outcome == "OK" else NEVER
        if mutation.kind == "revoke":
            earliest(facts.revoke_asked, mutation.token, mutation.call)
            earliest(facts.revoked, mutation.token, confirmed)
        elif mutation.kind == "update":
            for scope in mutation.removed:
                key = (mutation.token, scope)
                earliest(facts.narrow_asked, key, mutation.call)
                earliest(facts.narrowed, key, confirmed)
        elif mutation.kind == "rotate":
            for secret in by_token[mutation.token]:
                if facts.issued[secret] <= mutation.call:
                    earliest(facts.replace_asked, secret, mutation.call)
                    earliest(facts.replaced, secret, confirmed)
    _gather_late_attempts(history, facts)
    return facts


def _gather_late_attempts(history: History, facts: Facts):
    """An attempt that failed may have been held up, and be executed later.

    It carries the request's id, so that it issues the secret anew, and what
    its repetition issued is replaced.
    """
    for attempts in intents(history).values():
        failed = [m.call for m in attempts if m.outcome not in ("", "OK")]
        for m in attempts:
            if m.secret != FORGED and failed:
                facts.replace_asked[m.secret] = min(
                    facts.replace_asked.get(m.secret, NEVER), min(failed)
                )


class Times:
    """Prints times as seconds since the run began."""

    def __init__(self, history: History):
        self._begin = history.begin

    def __call__(self, at: int) -> str:
        if at >= NEVER:
            return "never"
        return f"{(at - self._begin) / SECOND:.3f}s"
