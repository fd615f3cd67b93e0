"""Rules of what may be said, and of what has to be there in the end."""

import collections

from facts import Facts, Times, Violation, intents
from history import FORGED, NEVER, SECOND, VERDICTS, History

# Exit codes of a server that the harness, as a supervisor, restarts without a
# word: it was told to stop, or could not vouch for its memory any more.
RESTARTABLE = (0, 5)

# What a mutation may fail with when something is broken.
FAILURES_OF_FAULTS = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED"}
    | {"RESOURCE_EXHAUSTED", "ABORTED"}
)

# What a replica reads from a primary that was deposed, and says before it has
# written anything, may be out of date. A run counts these, in a failover.
STALE_REFUSALS = frozenset({"TOKEN_NOT_FOUND", "TOKEN_NOT_ACTIVE"})

# Rows of the audit log: what an acknowledged mutation leaves there.
AUDIT_ACTIONS = {
    "create": "created",
    "update": "updated",
    "rotate": "rotated",
    "revoke": "revoked",
}


def check_verdicts(history: History, facts: Facts):
    """G1, G2, and what a verdict may be at all."""
    show = Times(history)
    for v in list(history.validations):
        if v.outcome not in VERDICTS:
            continue
        where = f"at {v.place}, called {show(v.call)}, returned {show(v.ret)}"
        if v.cached:
            where += ", from the cache"
        if v.secret == FORGED:
            if v.outcome != "UNKNOWN":
                yield Violation(
                    "never-created",
                    v.ret,
                    f"a forged token is {v.outcome} {where}",
                )
            continue
        token = history.secrets[v.secret]
        who = f"token {token}, secret {v.secret},"
        if v.outcome == "VALID":
            yield from _check_valid(history, facts, v, who, where)
        elif v.outcome == "REVOKED":
            asked = min(
                facts.revoke_asked.get(token, NEVER),
                facts.replace_asked.get(v.secret, NEVER),
            )
            if v.ret < asked:
                yield Violation(
                    "refused-unasked",
                    v.ret,
                    f"{who} is REVOKED {where}, which was asked for "
                    f"{show(asked)}",
                )
        elif v.outcome == "INSUFFICIENT_SCOPE":
            asked = facts.narrow_asked.get((token, v.scope), NEVER)
            if v.scope in history.tokens[token] and v.ret < asked:
                yield Violation(
                    "refused-unasked",
                    v.ret,
                    f"{who} lacks {v.scope} {where}, which was taken away "
                    f"{show(asked)}",
                )
        elif v.outcome == "UNKNOWN":
            if v.call > facts.issued.get(v.secret, NEVER):
                yield Violation(
                    "G2",
                    v.ret,
                    f"{who} is UNKNOWN {where}, issued "
                    f"{show(facts.issued[v.secret])}",
                )
        else:
            yield Violation(
                "odd-verdict", v.ret, f"{who} is {v.outcome} {where}"
            )


def _check_valid(history, facts, v, who, where):
    show = Times(history)
    token = history.secrets[v.secret]
    for what, gone in (
        ("revoked", facts.revoked.get(token, NEVER)),
        ("replaced", facts.replaced.get(v.secret, NEVER)),
    ):
        if v.call > gone:
            yield Violation(
                "G1", v.ret, f"{who} is VALID {where}, {what} {show(gone)}"
            )
    if v.scope:
        gone = facts.narrowed.get((token, v.scope), NEVER)
        if v.call > gone:
            yield Violation(
                "narrowed",
                v.ret,
                f"{who} is VALID for {v.scope} {where}, taken away "
                f"{show(gone)}",
            )
        if v.scope not in history.tokens[token]:
            yield Violation(
                "narrowed",
                v.ret,
                f"{who} is VALID for {v.scope} {where}, which it never had",
            )


def check_refusals_are_final(history: History):
    """What was refused is not VALID later.

    At one replica at once; elsewhere after the longest lease, since what one
    replica has applied is committed. This holds for changes that nobody
    acknowledged, too.
    """
    show = Times(history)
    lease = int((history.ttl * 1.002 + 0.2) * SECOND)
    here, anywhere = {}, {}
    for v in list(history.validations):
        if v.outcome == "REVOKED":
            key = (v.secret, "")
        elif v.outcome == "INSUFFICIENT_SCOPE":
            key = (v.secret, v.scope)
        else:
            continue
        here_key = (*key, v.place)
        here[here_key] = min(here.get(here_key, NEVER), v.ret)
        anywhere[key] = min(anywhere.get(key, NEVER), v.ret)
    for v in list(history.validations):
        if v.outcome != "VALID":
            continue
        for scope in {"", v.scope}:
            key = (v.secret, scope)
            refused = anywhere.get(key, NEVER)
            bound = refused + lease
            if v.place.startswith("r"):
                bound = min(bound, here.get((*key, v.place), NEVER))
            if v.call > bound:
                yield Violation(
                    "undone",
                    v.ret,
                    f"secret {v.secret} is VALID at {v.place}, called "
                    f"{show(v.call)}, returned {show(v.ret)}, though it was "
                    f"refused from {show(refused)} on",
                )


def check_exits(history: History):
    """A server ends for no other reason than it may."""
    show = Times(history)
    for each in list(history.exits):
        if each.expected or each.code in RESTARTABLE:
            continue
        yield Violation(
            "exit", each.at, f"{each.place} ended with {each.code} "
            f"{show(each.at)}"
        )


def is_stale_refusal(history: History, m) -> bool:
    return m.reason in STALE_REFUSALS and any(
        f.kind.startswith("promotion-") and f.begin <= m.ret and m.call <= f.end
        for f in list(history.faults)
    )


def check_errors(history: History):
    """A fault makes calls fail, but not with what is false."""
    show = Times(history)
    for m in list(history.mutations):
        if m.outcome in ("", "OK") or m.outcome in FAILURES_OF_FAULTS:
            continue
        if is_stale_refusal(history, m):
            continue
        yield Violation(
            "odd-error",
            m.ret,
            f"{m.kind} of token {m.token} at {m.place}, called "
            f"{show(m.call)}: {m.outcome} {m.reason}",
        )


# --- What the database has in the end


def check_final(history: History, facts: Facts):
    """G6: what was acknowledged is there, and what was done is logged."""
    final = history.final
    end = history.end

    def wrong(text):
        return Violation("G6", end, text)

    wanted = collections.Counter()
    for attempts in intents(history).values():
        acknowledged = [m for m in attempts if m.outcome == "OK"]
        if acknowledged:
            m = acknowledged[0]
            wanted[(m.token, AUDIT_ACTIONS[m.kind])] += 1
    for (token, action), count in wanted.items():
        if token not in final.revoked:
            yield wrong(f"token {token} is missing, though {action}")
            continue
        if action == "revoked":
            # Revoking the revoked leaves no second row.
            count = 1
            if not final.revoked[token]:
                yield wrong(f"token {token} is not revoked in the database")
        rows = final.audited.get((token, action), 0)
        if rows < count:
            yield wrong(
                f"{rows} audit rows say that token {token} was {action}, "
                f"want {count}"
            )
    for token, revoked in final.revoked.items():
        if revoked and facts.revoke_asked.get(token, NEVER) == NEVER:
            yield wrong(f"token {token} is revoked, which nobody asked for")
    for (token, scope), at in facts.narrowed.items():
        if at < NEVER and scope in final.scopes.get(token, ()):
            yield wrong(f"token {token} has scope {scope} still")
    for token in final.repeated:
        yield wrong(f"token {token} was created twice for one request")
    if final.log_rows and (
        final.log_rows != final.log_last - final.log_first + 1
    ):
        yield wrong(
            f"the change log has {final.log_rows} rows from "
            f"{final.log_first} to {final.log_last}"
        )
    if final.log_rows and final.log_last != final.head:
        yield wrong(
            f"the change log ends at {final.log_last}, its head is "
            f"{final.head}"
        )
