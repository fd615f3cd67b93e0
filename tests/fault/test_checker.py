"""The checker finds what is planted, and nothing in a history that is right.

Each test plants one violation: a checker that finds nothing proves nothing.
"""

import checker
import history as history_module
import liveness
import pytest
from history import (
    FORGED,
    NEVER,
    SECOND,
    Exit,
    Fault,
    FinalState,
    History,
    Mutation,
    Subscription,
    Validation,
)

TTL = 3
PLACES = ("r0", "r1", "c0")


class Story:
    """Tells a history in seconds since its begin."""

    def __init__(self, seconds=60.0, verdicts=True):
        self.history = History(TTL)
        self.history.begin = 0
        self.history.end = self.ns(seconds)
        self._intents = 0
        self.token = self.history.new_token(("read", "write"))
        self.create = self.mutate("create", 0.5, 0.6)
        self.secret = self.create.secret
        if verdicts:
            self.serve(0.7, seconds)

    @staticmethod
    def ns(seconds) -> int:
        return int(seconds * SECOND)

    def serve(self, begin, end, places=PLACES, outcome="UNKNOWN"):
        """A verdict on a forged token every second."""
        for place in places:
            at = begin
            while at < end:
                self.validate(place, at, at + 0.01, outcome, FORGED)
                at += 1

    def mutate(self, kind, call, ret, outcome="OK", **fields):
        self._intents += 1
        fields.setdefault("intent", self._intents)
        fields.setdefault("place", "r0")
        fields.setdefault("deadline", self.ns(TTL + 4))
        if kind in ("create", "rotate") and outcome == "OK":
            fields["secret"] = self.history.new_secret(self.token)
        ret = NEVER if ret is None else self.ns(ret)
        mutation = Mutation(
            kind,
            self.token,
            call=self.ns(call),
            ret=ret,
            outcome=outcome,
            **fields,
        )
        self.history.add(mutation)
        return mutation

    def validate(self, place, call, ret, outcome, secret=None, **fields):
        fields.setdefault("scope", "")
        self.history.add(
            Validation(
                place,
                self.secret if secret is None else secret,
                call=self.ns(call),
                ret=self.ns(ret),
                outcome=outcome,
                **fields,
            )
        )

    def fault(self, begin, end, **fields):
        self.history.add(
            Fault("test", self.ns(begin), self.ns(end), **fields)
        )

    def rules(self) -> list[str]:
        return [v.rule for v in checker.check(self.history)]


@pytest.fixture
def story():
    return Story()


# --- Safety


def test_a_history_that_is_right_has_no_violation(story):
    story.validate("r0", 1, 1.1, "VALID")
    story.mutate("update", 2, 2.1, removed=("write",))
    story.validate("r1", 2.2, 2.3, "INSUFFICIENT_SCOPE", scope="write")
    story.validate("r1", 2.2, 2.3, "VALID", scope="read")
    rotated = story.mutate("rotate", 3, 3.1)
    story.validate("c0", 3.2, 3.3, "REVOKED")
    story.validate("c0", 3.2, 3.3, "VALID", rotated.secret, cached=True)
    story.mutate("revoke", 4, 4.5)
    # Begun before the revoke returned.
    story.validate("c0", 4.4, 4.6, "VALID", rotated.secret)
    story.validate("r0", 4.1, 4.2, "REVOKED", rotated.secret)
    story.validate("r1", 5, 5.1, "REVOKED", rotated.secret)
    story.validate("r1", 5, 5.1, "UNAVAILABLE", rotated.secret)
    assert story.rules() == []


@pytest.mark.parametrize("place", PLACES)
def test_valid_after_a_revoke(story, place):
    story.mutate("revoke", 2, 2.1)
    story.validate(place, 2.2, 2.3, "VALID")
    assert story.rules() == ["G1"]


def test_valid_after_the_first_of_two_revokes(story):
    """Whoever was told first may rely on it."""
    story.mutate("revoke", 2, 5)
    story.mutate("revoke", 2.5, 2.6, place="r1")
    story.validate("r1", 2.7, 2.8, "VALID")
    assert story.rules() == ["G1"]


def test_valid_after_a_revoke_that_was_not_confirmed(story):
    story.mutate("revoke", 2, 2.1, "DEADLINE_EXCEEDED", deadline=0)
    story.validate("r0", 2.2, 2.3, "VALID")
    assert story.rules() == []


def test_replaced_secret_is_valid_after_a_rotation(story):
    story.mutate("rotate", 2, 2.1)
    story.validate("r1", 2.2, 2.3, "VALID")
    assert story.rules() == ["G1"]


def test_rotated_secret_is_valid_after_a_revoke(story):
    rotated = story.mutate("rotate", 2, 2.1)
    story.mutate("revoke", 3, 3.1)
    story.validate("c0", 3.2, 3.3, "VALID", rotated.secret)
    assert story.rules() == ["G1"]


def test_scope_is_there_after_it_was_taken_away(story):
    story.mutate("update", 2, 2.1, removed=("write",))
    story.validate("r1", 2.2, 2.3, "VALID", scope="write")
    assert story.rules() == ["narrowed"]


def test_scope_that_never_was(story):
    story.validate("r1", 2.2, 2.3, "VALID", scope="admin")
    assert story.rules() == ["narrowed"]


def test_unknown_after_a_create(story):
    story.validate("r1", 1, 1.1, "UNKNOWN")
    assert story.rules() == ["G2"]


@pytest.mark.parametrize("verdict", ["VALID", "REVOKED", "MALFORMED"])
def test_forged_token_is_anything_but_unknown(story, verdict):
    story.validate("r0", 1, 1.1, verdict, FORGED)
    assert story.rules() == ["never-created"]


def test_another_tokens_name(story):
    story.validate("r0", 1, 1.1, "WRONG_TOKEN")
    assert story.rules() == ["odd-verdict"]


def test_revoked_before_anyone_asked(story):
    story.validate("r0", 1, 1.1, "REVOKED")
    story.mutate("revoke", 2, 2.1)
    assert story.rules() == ["refused-unasked"]


def test_replaced_before_anyone_asked(story):
    story.validate("r0", 1, 1.1, "REVOKED")
    story.mutate("rotate", 2, 2.1)
    assert story.rules() == ["refused-unasked"]


def test_secret_that_a_late_attempt_replaced():
    """The first attempt was held up, and issued the secret anew."""
    story = Story()
    story.token = story.history.new_token(("read",))
    story.mutate("create", 1, 2, "DEADLINE_EXCEEDED", intent=77)
    create = story.mutate("create", 2, 2.1, intent=77)
    story.validate("r0", 3, 3.1, "REVOKED", create.secret)
    assert story.rules() == []


def test_scope_is_missing_before_anyone_asked(story):
    story.validate("r0", 1, 1.1, "INSUFFICIENT_SCOPE", scope="write")
    assert story.rules() == ["refused-unasked"]


def test_valid_where_it_was_revoked(story):
    """Though nobody had acknowledged the revoke."""
    story.mutate("revoke", 2, None, outcome="", deadline=0)
    story.validate("r0", 2.1, 2.2, "REVOKED")
    story.validate("r1", 2.3, 2.4, "VALID")
    assert story.rules() == []
    story.validate("r0", 2.3, 2.4, "VALID")
    assert story.rules() == ["undone"]


def test_valid_a_lease_after_it_was_revoked_elsewhere(story):
    story.mutate("revoke", 2, 2.2, outcome="UNAVAILABLE", deadline=0)
    story.validate("r0", 2.1, 2.2, "REVOKED")
    story.validate("r1", 2.2 + TTL, 2.4 + TTL, "VALID")
    assert story.rules() == []
    story.validate("c0", 2.5 + TTL, 2.6 + TTL, "VALID")
    assert story.rules() == ["undone"]


def test_a_crash(story):
    story.history.add(Exit("r0", story.ns(3), 5, False))
    story.history.add(Exit("r0", story.ns(3), -9, True))
    assert story.rules() == []
    story.history.add(Exit("r1", story.ns(4), -6, False))
    assert story.rules() == ["exit"]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_an_end_that_no_fault_explains(story, code):
    """4 says that the database lost history, which it did not."""
    story.history.add(Exit("r1", story.ns(4), code, False))
    assert story.rules() == ["exit"]


def test_an_error_that_no_fault_explains(story):
    story.mutate("revoke", 2, 2.1, "NOT_FOUND", reason="TOKEN_NOT_FOUND")
    assert story.rules().count("odd-error") == 1


# --- Liveness


@pytest.mark.parametrize("place", PLACES)
def test_no_verdict_for_too_long(place):
    story = Story(verdicts=False)
    others = [p for p in PLACES if p != place]
    story.serve(0.7, 60, others)
    story.serve(0.7, 10, [place])
    story.serve(10.7, 16, [place], "UNAVAILABLE")
    story.serve(16.7, 60, [place])
    assert story.rules() == ["unavailable"]


def test_no_verdict_till_the_end():
    story = Story(verdicts=False)
    story.serve(0.7, 60, ["r0", "r1"])
    story.serve(0.7, 40, ["c0"])
    assert story.rules() == ["unavailable"]


@pytest.mark.parametrize(
    "fault", [{"places": ("r1",)}, {"database": True}], ids=str
)
def test_no_verdict_in_a_fault_and_soon_after(fault):
    story = Story(verdicts=False)
    story.serve(0.7, 60, ["r0", "c0"])
    story.serve(0.7, 10, ["r1"])
    story.fault(11, 20, **fault)
    story.serve(24.7, 60, ["r1"])
    assert story.rules() == []


def test_no_verdict_long_after_a_fault():
    story = Story(verdicts=False)
    story.serve(0.7, 60, ["r0", "c0"])
    story.serve(0.7, 10, ["r1"])
    story.fault(11, 20, places=("r1",))
    story.serve(26, 60, ["r1"])
    assert story.rules() == ["unavailable"]


def test_no_verdict_in_a_fault_of_another():
    story = Story(verdicts=False)
    story.serve(0.7, 60, ["r0", "c0"])
    story.serve(0.7, 10, ["r1"])
    story.fault(10, 20, places=("r0",))
    # As one that service has to survive.
    story.fault(10, 20)
    story.serve(20, 60, ["r1"])
    assert story.rules() == ["unavailable"]


def test_mutation_is_not_confirmed(story):
    story.mutate("revoke", 10, 10.1, "UNAVAILABLE", intent=9, place="r1")
    story.mutate("revoke", 10.2, 15.5, intent=9)
    assert story.rules() == ["unconfirmed"]


def test_mutation_is_not_confirmed_till_the_end(story):
    story.mutate("revoke", 50, None, "", intent=9)
    assert story.rules() == ["unconfirmed"]


def test_mutation_is_not_confirmed_in_time_by_a_replica_with_a_fault(story):
    story.fault(9, 11, places=("r1",))
    story.mutate("revoke", 10, 17, "DEADLINE_EXCEEDED", intent=9, place="r1")
    story.mutate("revoke", 17, 20, intent=9)
    assert story.rules() == []


def test_mutation_waits_for_the_locks_of_a_server_with_a_fault(story):
    story.mutate("create", 1, 1.1, place="r1")
    story.fault(10, 30, places=("r1",))
    story.mutate("revoke", 10, 16, intent=9)
    assert story.rules() == []
    story.mutate("revoke", 10, 18, intent=10)
    assert story.rules() == ["unconfirmed"]


def test_mutation_does_not_wait_for_a_client(story):
    story.fault(10, 30, places=("c1",))
    story.mutate("revoke", 10, 16, intent=9)
    assert story.rules() == ["unconfirmed"]


def test_mutation_is_not_confirmed_while_the_database_is_away(story):
    story.fault(10, 20, database=True)
    story.mutate("revoke", 10, 24, intent=9)
    assert story.rules() == []
    story.mutate("revoke", 10, 26, intent=10)
    assert story.rules() == ["unconfirmed"]


def test_impatient_attempts_do_not_count(story):
    story.mutate(
        *("revoke", 10, 10.5, "DEADLINE_EXCEEDED"),
        intent=9,
        deadline=story.ns(0.5),
    )
    story.mutate("revoke", 11, 15.5, intent=9)
    assert story.rules() == []


def subscribe(story, asked, told):
    told = NEVER if told is None else story.ns(told)
    wish = Subscription("c0", story.secret, story.ns(asked), told)
    story.history.add(wish)
    return wish


def test_told_of_the_end(story):
    story.mutate("revoke", 10, 10.1)
    subscribe(story, 1, 10.05)
    subscribe(story, 12, 12.1)
    subscribe(story, 1, None).ended = story.ns(12)
    story.fault(14, 30, places=("c0",))
    subscribe(story, 13, 34)
    assert story.rules() == []


@pytest.mark.parametrize("told", [None, 15.5])
def test_not_told_of_the_end(story, told):
    story.mutate("revoke", 10, 10.1)
    subscribe(story, 1, told)
    assert story.rules() == ["not-told"]


def test_told_of_an_end_that_nobody_asked_for(story):
    subscribe(story, 1, 9)
    story.mutate("revoke", 10, 10.1)
    assert story.rules() == ["told-unasked"]


# --- The database in the end


class Ended(Story):
    """A created token, a revoked one, and a run that proves something."""

    def __init__(self):
        super().__init__()
        for i in range(20):
            self.fault(20 + i, 20.9 + i, places=("r1",), unreachable=("r1",))
        first = self.token
        self.token = self.history.new_token(("read", "write"))
        self.revoked = self.token
        create = self.mutate("create", 1, 1.1)
        for i in range(20):
            self.mutate("revoke", 20.1 + i, 20.2 + i)
            follows = len(self.history.mutations) - 1
            for place in ("r0", "c0"):
                self.validate(
                    *(place, 20.21 + i, 20.22 + i, "REVOKED"),
                    secret=create.secret,
                    follows=follows,
                )
        self.token = first
        self.final = self.history.final = FinalState(
            revoked={first: False, self.revoked: True},
            scopes={first: ("read", "write"), self.revoked: ("read", "write")},
            audited={
                (first, "created"): 1,
                (self.revoked, "created"): 1,
                (self.revoked, "revoked"): 1,
            },
            log_first=1,
            log_last=22,
            log_rows=22,
            head=22,
        )


def test_everything_acknowledged_is_there():
    assert Ended().rules() == []


def test_acknowledged_token_is_missing():
    ended = Ended()
    del ended.final.revoked[ended.token]
    assert ended.rules() == ["G6"]


def test_acknowledged_revoke_is_missing():
    ended = Ended()
    ended.final.revoked[ended.revoked] = False
    assert ended.rules() == ["G6"]


def test_revoked_though_nobody_asked():
    ended = Ended()
    ended.final.revoked[ended.token] = True
    assert ended.rules() == ["G6"]


def test_audit_row_is_missing():
    ended = Ended()
    del ended.final.audited[(ended.revoked, "revoked")]
    assert ended.rules() == ["G6"]


def test_audit_row_of_the_second_update_is_missing():
    ended = Ended()
    ended.mutate("update", 5, 5.1, removed=())
    ended.mutate("update", 6, 6.1, removed=())
    ended.final.audited[(ended.token, "updated")] = 1
    assert ended.rules() == ["G6"]


def test_scope_that_was_taken_away_is_there():
    ended = Ended()
    ended.mutate("update", 5, 5.1, removed=("write",))
    ended.final.audited[(ended.token, "updated")] = 1
    assert ended.rules() == ["G6"]
    ended.final.scopes[ended.token] = ("read",)
    assert ended.rules() == []


def test_one_request_made_two_tokens():
    ended = Ended()
    ended.final.repeated.append(ended.token)
    assert ended.rules() == ["G6"]


def test_hole_in_the_change_log():
    ended = Ended()
    ended.final.log_rows -= 1
    assert ended.rules() == ["G6"]


def test_change_log_ends_before_its_head():
    ended = Ended()
    ended.final.head += 1
    assert ended.rules() == ["G6"]


# --- Runs that prove nothing


def test_too_few_revokes_in_faults():
    ended = Ended()
    del ended.history.faults[8:]
    assert ended.rules() == ["proves-nothing"]


@pytest.mark.parametrize("place", ["r0", "c0"])
def test_revokes_that_nobody_looked_after(place):
    ended = Ended()
    for v in ended.history.validations:
        if v.place == place and v.follows >= 0:
            # 50 ms after it returned.
            v.call += SECOND // 10
            v.ret += SECOND // 10
    assert ended.rules() == ["proves-nothing"]


def test_too_few_verdicts():
    ended = Ended()
    for i in range(50):
        ended.validate("r0", 5 + i / 100, 5.01 + i / 100, "UNAVAILABLE")
    assert ended.rules() == ["proves-nothing"]


def test_too_few_verdicts_beside_a_fault():
    ended = Ended()
    for i in range(50):
        ended.validate("r1", 25 + i / 100, 25.01 + i / 100, "UNAVAILABLE")
    assert ended.rules() == []


def test_long_run_with_too_few_faults_of_a_kind():
    ended = Ended()
    ended.history.end = ended.ns(20 * 60)
    ended.serve(60.7, 20 * 60)
    rules = ended.rules()
    # Of revokes there are too few, too.
    assert rules == ["proves-nothing"]
    ended.history.add(Fault("rare", ended.ns(100), ended.ns(101)))
    assert ended.rules() == ["proves-nothing", "proves-nothing"]


# --- Its parts


def test_subtract():
    assert liveness.subtract(0, 10, []) == [(0, 10)]
    assert liveness.subtract(0, 10, [(2, 3), (2, 5), (9, 20)]) == [
        (0, 2),
        (5, 9),
    ]
    assert liveness.subtract(0, 10, [(-5, 20)]) == []
    assert liveness.subtract(5, 10, [(1, 2), (12, 13)]) == [(5, 10)]


def test_a_kept_history_is_checked_again(story, tmp_path):
    story.mutate("revoke", 2, 2.1)
    story.validate("r0", 2.2, 2.3, "VALID", follows=1)
    story.fault(1, 2, places=("r1",))
    path = tmp_path / "history.jsonl.gz"
    story.history.save(path)
    loaded = history_module.load(path)
    assert loaded.mutations == story.history.mutations
    assert loaded.validations == story.history.validations
    assert loaded.faults == story.history.faults
    assert [v.rule for v in checker.check(loaded)] == ["G1"]
