"""What happened in a run: every call with its times, and every fault.

Times are nanoseconds of CLOCK_BOOTTIME of the one machine that everything runs
on. A call is stamped before it is sent and after its answer has come, so that
what the checker takes for "after" really was.
"""

import dataclasses
import gzip
import json
import threading
import time

NEVER = 1 << 62
SECOND = 1_000_000_000

# What a forged secret has instead of a number.
FORGED = -1

# Outcomes of a Validate that are verdicts; everything else is a failure.
VERDICTS = frozenset(
    {
        "MALFORMED",
        "UNKNOWN",
        "REVOKED",
        "EXPIRED",
        "WRONG_PROJECT",
        "INSUFFICIENT_SCOPE",
        "VALID",
        # VALID with the name of another token.
        "WRONG_TOKEN",
    }
)


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclasses.dataclass(slots=True)
class Mutation:
    """One attempt of a call that changes a token.

    The attempts of one intent follow each other, the last being OK unless the
    run ended before. A rotation has no grace period.
    """

    kind: str  # create, update, rotate, revoke
    token: int
    intent: int
    place: str
    call: int
    ret: int = NEVER
    # "OK", or the name of a code.
    outcome: str = ""
    reason: str = ""
    # Of the call, in nanoseconds.
    deadline: int = 0
    # What a create or a rotate issued.
    secret: int = FORGED
    # What an update took away.
    removed: tuple = ()


@dataclasses.dataclass(slots=True)
class Validation:
    """One Validate. The place is a replica, "r0", or a client, "c0"."""

    place: str
    secret: int
    # The one required scope, if any.
    scope: str
    call: int
    ret: int = NEVER
    # A verdict, or the name of a code.
    outcome: str = ""
    cached: bool = False
    # The mutation, as an index of the history, that this one follows at once.
    follows: int = -1


@dataclasses.dataclass(slots=True)
class Fault:
    """A fault in force from `begin` to `end`.

    While it is, nobody expects service at `places`; with `database` nowhere,
    and no mutation. One that service has to survive excuses nothing.
    """

    kind: str
    begin: int
    end: int = NEVER
    places: tuple = ()
    database: bool = False
    # What cannot be reached meanwhile.
    unreachable: tuple = ()
    detail: str = ""

    def is_in_force(self, at: int) -> bool:
        return self.begin <= at <= self.end


@dataclasses.dataclass(slots=True)
class Subscription:
    """A client's wish to be told of the end of a token."""

    place: str
    secret: int
    asked: int
    told: int = NEVER
    # When the client ended, and its wish with it.
    ended: int = NEVER


@dataclasses.dataclass(slots=True)
class Exit:
    """A replica's process that ended."""

    place: str
    at: int
    code: int
    # Whether the harness killed it or told it to end.
    expected: bool


@dataclasses.dataclass
class FinalState:
    """What the database had at the end."""

    # By the number of the token, of those that are there.
    revoked: dict = dataclasses.field(default_factory=dict)
    scopes: dict = dataclasses.field(default_factory=dict)
    # Rows of the audit log: (token, action) -> how many.
    audited: dict = dataclasses.field(default_factory=dict)
    # Tokens of one request that are there more than once.
    repeated: list = dataclasses.field(default_factory=list)
    log_first: int = 0
    log_last: int = 0
    log_rows: int = 0
    head: int = 0
    # Places that were asked for all tokens, after all faults.
    swept: list = dataclasses.field(default_factory=list)


_KINDS = {
    kind.__name__: kind
    for kind in (Mutation, Validation, Subscription, Fault, Exit)
}


class History:
    """Thread-safe as far as it is added to."""

    def __init__(self, ttl: float):
        self.ttl = ttl
        self.begin = now()
        self.end = NEVER
        self.mutations: list[Mutation] = []
        self.validations: list[Validation] = []
        self.subscriptions: list[Subscription] = []
        self.faults: list[Fault] = []
        self.exits: list[Exit] = []
        # Of each secret the token.
        self.secrets: list[int] = []
        # Of each token the scopes that it was created with.
        self.tokens: list[tuple] = []
        self.final: FinalState | None = None
        self._lock = threading.Lock()

    def new_token(self, scopes) -> int:
        with self._lock:
            self.tokens.append(tuple(scopes))
            return len(self.tokens) - 1

    def new_secret(self, token: int) -> int:
        with self._lock:
            self.secrets.append(token)
            return len(self.secrets) - 1

    def add(self, entry):
        """Returns its index."""
        of_kind = {
            Mutation: self.mutations,
            Validation: self.validations,
            Subscription: self.subscriptions,
            Fault: self.faults,
            Exit: self.exits,
        }[type(entry)]
        with self._lock:
            of_kind.append(entry)
            return len(of_kind) - 1

    def save(self, path):
        """As JSON lines, one an entry, the times as they are."""
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as out:
            head = {
                "ttl": self.ttl,
                "begin": self.begin,
                "end": self.end,
                "secrets": self.secrets,
                "tokens": self.tokens,
            }
            out.write(json.dumps(head) + "\n")
            for entries in (
                self.faults,
                self.exits,
                self.mutations,
                self.subscriptions,
                self.validations,
            ):
                for entry in list(entries):
                    line = {"is": type(entry).__name__}
                    line |= dataclasses.asdict(entry)
                    out.write(json.dumps(line) + "\n")


def load(path) -> History:
    """What save() wrote. The final state is not in it."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        head = json.loads(next(lines))
        history = History(head["ttl"])
        history.begin, history.end = head["begin"], head["end"]
        history.secrets = head["secrets"]
        history.tokens = [tuple(scopes) for scopes in head["tokens"]]
        for line in lines:
            fields = json.loads(line)
            kind = _KINDS[fields.pop("is")]
            for name in ("removed", "places", "unreachable"):
                if name in fields:
                    fields[name] = tuple(fields[name])
            history.add(kind(**fields))
    return history
