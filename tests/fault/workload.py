"""Who creates, changes, revokes and validates tokens all the time."""

import collections
import contextlib
import random
import threading
import time
import uuid

import grpc
from harness.evidence import Failure
from harness.stubs import (
    auth_grpc,
    auth_pb2,
    service_grpc,
    service_pb2,
    token_pb2,
)
from harness.token_text import forge

import history as history_module
from history import FORGED, SECOND, History, Mutation, Validation

PROJECTS = 8
SCOPES = ("read", "write", "admin")

_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    # What was away is found soon after it is back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 300),
    ("grpc.max_reconnect_backoff_ms", 300),
]

# Validates on their way to one replica, at most: one that is stopped answers
# them all when it goes on.
_MOST_IN_FLIGHT = 400


class Token:
    """What its mutator knows of a token."""

    def __init__(self, number, scopes):
        self.number = number
        self.scopes = list(scopes)
        self.name = ""
        self.display_name = ""
        # (number, text), the current one last.
        self.secrets = []
        # The number of its creation in the history.
        self.created = -1


class Endpoint:
    """The calls to one replica, without a cache."""

    def __init__(self, place, target, history):
        self.place = place
        self._history = history
        self._channel = grpc.insecure_channel(target, _OPTIONS)
        # Apart, so that Validates that wait do not hold up changes.
        self._mutations = grpc.insecure_channel(target, _OPTIONS)
        self._auth = auth_grpc.AuthServiceStub(self._channel)
        self.tokens = service_grpc.TokenServiceStub(self._mutations)
        self._lock = threading.Lock()
        self._in_flight = 0

    def close(self):
        self._channel.close()
        self._mutations.close()

    def validate(self, text, secret, scope, follows, done, timeout):
        with self._lock:
            if self._in_flight >= _MOST_IN_FLIGHT:
                return
            self._in_flight += 1
        request = auth_pb2.ValidateRequest(
            token=text, required_scopes=[scope] if scope else []
        )
        validation = Validation(
            self.place, secret, scope, history_module.now(), follows=follows
        )

        def settle(call):
            validation.ret = history_module.now()
            with self._lock:
                self._in_flight -= 1
            name = ""
            code = call.code()
            if code == grpc.StatusCode.OK:
                response = call.result()
                verdict = auth_pb2.Verdict.Name(response.verdict)
                validation.outcome = verdict.removeprefix("VERDICT_")
                name = response.token
            else:
                validation.outcome = code.name
            done(validation, name)

        self._auth.Validate.future(request, timeout=timeout).add_done_callback(
            settle
        )


class Workload:
    """Mutators and validators, in threads of their own."""

    def __init__(self, seed, history: History, replicas, clients, pace):
        self._seed = seed
        self._history = history
        self._endpoints = [
            Endpoint(replica.place, replica.target, history)
            for replica in replicas
        ]
        self._clients = clients
        # Seconds between two lives of a mutator, and two Validates of a place.
        self._life_pause, self._validate_pause = pace
        self._patience = history.ttl + 4
        # Which Validates are of a stopped replica, answered when it goes on.
        self._long_patience = 3 * history.ttl
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._busy = threading.Event()
        self._resting = threading.Event()
        self._lock = threading.Lock()
        self._intents = 0
        self._projects = [f"fault-{i}" for i in range(PROJECTS)]
        # Tokens by their number; some that live, some that were just changed.
        self.tokens: dict[int, Token] = {}
        self._live: list[Token] = []
        self._hot = collections.deque(maxlen=60)
        self._threads = []

    def start(self, mutators, validators_per_place, lulls=True):
        if lulls:
            self._spawn(self._breathe, "lulls")
        else:
            self._busy.set()
        for i in range(mutators):
            self._spawn(self._mutate, f"mutator {i}")
        for place in (*self._endpoints, *self._clients):
            for i in range(validators_per_place):
                self._spawn(
                    self._validate, f"validator {place.place}/{i}", place
                )

    def _spawn(self, run, name, *arguments):
        rng = random.Random(f"{self._seed} {name}")
        thread = threading.Thread(
            target=run, args=(rng, *arguments), name=name, daemon=True
        )
        thread.start()
        self._threads.append(thread)

    def stop(self, seconds):
        """Lets what was begun come to its end, for some time."""
        self._stop.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        self._give_up.set()
        for thread in self._threads:
            thread.join()

    def close(self):
        for endpoint in self._endpoints:
            endpoint.close()

    # --- Validating

    def _record(self, token):
        """What to do with an answer: the name tells whose it is."""

        def done(validation, name):
            known = token.name if token else ""
            if validation.outcome == "VALID" and name and name != known:
                validation.outcome = "WRONG_TOKEN"
            self._history.add(validation)

        return done

    def _ask(self, place, token, secret, scope="", follows=-1, timeout=1.0):
        number, text = secret
        arguments = (text, number, scope, follows, self._record(token))
        if isinstance(place, Endpoint):
            place.validate(*arguments, timeout)
        else:
            place.validate(*arguments)

    def _follow(self, token, secrets, follows, scope=""):
        """Asks everywhere at once, after a change was acknowledged."""
        for secret in secrets:
            for place in (*self._clients, *self._endpoints):
                self._ask(
                    place, token, secret, scope, follows, self._long_patience
                )

    def _validate(self, rng, place):
        while not self._stop.is_set():
            token = self._draw(rng)
            if token is None:
                self._ask(place, None, (FORGED, forge(rng)))
            else:
                secret = rng.choice(token.secrets)
                scope = rng.choice(("", "", *SCOPES))
                timeout = rng.choice((1.0, self._long_patience))
                self._ask(place, token, secret, scope, timeout=timeout)
            self._stop.wait(self._validate_pause * rng.uniform(0.5, 1.5))

    def _draw(self, rng):
        """None for a forged one."""
        dice = rng.random()
        with self._lock:
            if dice < 0.5 and self._hot:
                return rng.choice(self._hot)
            if dice < 0.95 and self._live:
                return rng.choice(self._live)
        return None

    # --- Changing

    def _breathe(self, rng):
        """Lulls, in which no change wakes up a replica.

        Some are so long that whoever sleeps meanwhile is missed.
        """
        while not self._stop.is_set():
            self._busy.set()
            self._stop.wait(rng.uniform(4, 20))
            self._busy.clear()
            long = rng.random() < 0.3
            lull = rng.uniform(3, 4) if long else rng.uniform(0.2, 1)
            self._stop.wait(lull * self._history.ttl)

    @contextlib.contextmanager
    def changes_rest(self):
        """Nobody begins with another token meanwhile."""
        self._resting.set()
        try:
            yield
        finally:
            self._resting.clear()

    def _mutate(self, rng):
        while not self._stop.is_set():
            if self._resting.is_set() or not self._busy.wait(0.2):
                self._stop.wait(0.05)
                continue
            self._live_through(rng)
            self._stop.wait(self._life_pause * rng.uniform(0.5, 1.5))

    def _live_through(self, rng):
        token = self._create(rng)
        if token is None:
            return
        if rng.random() < 0.4:
            self._use_at_the_end(rng, token)
            return
        self._follow(token, token.secrets[-1:], token.created)
        with self._lock:
            self._live.append(token)
            self._hot.append(token)
            if len(self._live) > 200:
                # Lives on, and is asked for again at the end.
                self._live.pop(0)
        if rng.random() < 0.3 and not self._narrow(rng, token):
            return
        if rng.random() < 0.3 and not self._rotate(rng, token):
            return
        if rng.random() < 0.85:
            self._stop.wait(rng.uniform(0, 0.1))
            self._revoke(rng, token)
            with self._lock:
                if token in self._live:
                    self._live.remove(token)

    def _use_at_the_end(self, rng, token):
        """Its first use at a client meets its revocation: an answer and the end
        are on their way at once."""
        uses = [
            threading.Timer(
                rng.uniform(0, 0.02),
                self._ask,
                (client, token, token.secrets[-1]),
            )
            for client in self._clients
        ]
        for use in uses:
            use.start()
        self._revoke(rng, token)
        for use in uses:
            use.join()

    def _create(self, rng):
        token = Token(self._history.new_token(SCOPES), SCOPES)
        token.display_name = f"t{token.number}"
        project = rng.choice(self._projects)
        request = service_pb2.CreateTokenRequest(
            parent=f"projects/{project}",
            actor="fault",
            request_id=_request_id(rng),
            token=token_pb2.Token(
                display_name=token.display_name, scopes=SCOPES
            ),
        )
        with self._lock:
            self.tokens[token.number] = token
        response, mutation, index = self._settle(
            rng, "create", token, lambda tokens: tokens.CreateToken, request
        )
        if response is None:
            return None
        token.name = response.token.name
        self._add_secret(token, mutation, response.secret)
        token.created = index
        for client in self._clients:
            if rng.random() < 0.2:
                number, text = token.secrets[-1]
                client.watch(text, number)
        return token

    def _add_secret(self, token, mutation, text):
        number = self._history.new_secret(token.number)
        mutation.secret = number
        token.secrets = [*token.secrets, (number, text)]

    def _narrow(self, rng, token) -> bool:
        removed = token.scopes[-1]
        left = token.scopes[:-1]
        request = service_pb2.UpdateTokenRequest(
            token=token_pb2.Token(name=token.name, scopes=left),
            actor="fault",
        )
        request.update_mask.paths.append("scopes")
        response, mutation, index = self._settle(
            *(rng, "update", token, lambda tokens: tokens.UpdateToken),
            request,
            removed=(removed,),
        )
        if response is None:
            return False
        token.scopes = left
        self._follow(token, token.secrets, index, removed)
        return True

    def _rotate(self, rng, token) -> bool:
        request = service_pb2.RotateTokenRequest(
            name=token.name, actor="fault", request_id=_request_id(rng)
        )
        response, mutation, index = self._settle(
            rng, "rotate", token, lambda tokens: tokens.RotateToken, request
        )
        if response is None:
            return False
        self._add_secret(token, mutation, response.secret)
        self._follow(token, token.secrets, index)
        return True

    def _revoke(self, rng, token):
        """Some are given up too soon, some are sent twice."""
        with self._lock:
            self._hot.append(token)
        request = service_pb2.RevokeTokenRequest(
            name=token.name, actor="fault"
        )
        dice = rng.random()
        twin = None
        if dice < 0.25:
            twin_rng = random.Random(rng.random())
            twin = threading.Thread(
                target=self._revoke_once,
                args=(twin_rng, token, request, twin_rng.uniform(0, 0.5)),
                daemon=True,
            )
            twin.start()
        hasty = dice > 0.75
        self._revoke_once(rng, token, request, 0, hasty)
        if twin:
            twin.join()

    def _revoke_once(self, rng, token, request, delay, hasty=False):
        if delay:
            time.sleep(delay)
        response, mutation, index = self._settle(
            *(rng, "revoke", token, lambda tokens: tokens.RevokeToken),
            request,
            hasty=hasty,
        )
        if response is not None:
            self._follow(token, token.secrets, index)

    def _settle(
        self, rng, kind, token, method, request, removed=(), hasty=False
    ):
        """Repeats a call until it was acknowledged, or the run ends."""
        with self._lock:
            self._intents += 1
            intent = self._intents
        tries = 0
        while not self._give_up.is_set():
            if self._stop.is_set() and tries == 0:
                break
            endpoint = rng.choice(self._endpoints)
            # The first two of a hasty caller.
            timeout = self._patience
            if hasty and tries < 2:
                timeout = rng.uniform(0.1, 1.0)
            tries += 1
            mutation = Mutation(
                *(kind, token.number, intent, endpoint.place),
                history_module.now(),
                deadline=int(timeout * SECOND),
                removed=removed,
            )
            index = self._history.add(mutation)
            call = method(endpoint.tokens)
            try:
                response = call(request, timeout=timeout)
            except grpc.RpcError as error:
                mutation.reason = Failure(error).reason
                mutation.outcome = error.code().name
                mutation.ret = history_module.now()
                self._give_up.wait(rng.uniform(0.05, 0.2))
                continue
            # The outcome last: whoever sees it sees the time.
            mutation.ret = history_module.now()
            mutation.outcome = "OK"
            return response, mutation, index
        return None, None, -1

    # --- The end

    def sweep(self, seconds=60, at_most=3000):
        """Asks for the tokens everywhere, and waits for the answers.

        For a sample, if there are many: the database is looked at for all.
        """
        before = len(self._history.validations)
        asked = 0
        end = time.monotonic() + seconds
        tokens = list(self.tokens.values())
        for token in tokens[:: len(tokens) // at_most + 1]:
            for secret in token.secrets:
                for place in (*self._clients, *self._endpoints):
                    self._ask(place, token, secret, timeout=10)
                    asked += 1
                if asked % 200 < len(self._endpoints) + len(self._clients):
                    while (
                        len(self._history.validations) - before < asked - 100
                        and time.monotonic() < end
                    ):
                        time.sleep(0.002)
        while (
            len(self._history.validations) - before < asked
            and time.monotonic() < end
        ):
            time.sleep(0.01)


def _request_id(rng) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
