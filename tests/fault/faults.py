"""What the nemesis does to the system. Each fault strikes, lasts for a while,
and is taken back, whatever happens.

A method per kind, listed in GROUPS. It says in its record what nobody can
expect while it lasts: see history.Fault.
"""

import contextlib
import random

import history as history_module
from history import Fault

# The kinds by what they strike. Two of one group never strike at once.
GROUPS = {
    "replica": (
        "replica-stop",
        "replica-stutter",
        "replica-kill",
        "hosts-lost",
        "replica-drain",
        "rolling-restart",
        "replica-row-removed",
    ),
    "clock": ("wall-clock-jump",),
    "client": (
        "client-stop",
        "client-stutter",
        "client-kill",
        "client-cut-both",
        "client-cut-to-server",
        "client-cut-from-server",
        "client-latency",
        "client-reset",
    ),
    "network": (
        "database-cut-both",
        "database-cut-to",
        "database-cut-from",
        "database-latency",
        "database-reset",
        "notifications-held",
        "commit-answers-lost",
    ),
    "database": (
        "backends-killed",
        "listeners-killed",
        "database-crash",
        "standby-cut",
        "promotion-beside-primary",
        "promotion-after-crash",
        "promotion-behind",
        "disk-full",
    ),
}


class Faults:
    """Strikes one at a time of each group."""

    def __init__(self, system):
        self._system = system
        self._history = system.history
        self._stop = system.stop
        self._ttl = system.history.ttl

    def strike(self, kind, seconds, seed):
        """Returns after it was taken back."""
        rng = random.Random(seed)
        method = getattr(self, "_" + kind.replace("-", "_"))
        method(kind, seconds, rng)

    # --- Help

    @contextlib.contextmanager
    def _in_force(self, kind, places=(), database=False, unreachable=()):
        """Records the fault. It is over when its block is."""
        fault = Fault(
            kind,
            history_module.now(),
            places=tuple(places),
            database=database,
            unreachable=tuple(unreachable),
        )
        index = self._history.add(fault)
        self._system.say(f"{kind} begins {' '.join(places)}")
        try:
            yield self._history.faults[index]
        finally:
            fault.end = history_module.now()
            self._system.say(f"{kind} ends {fault.detail}")

    def _rest(self, seconds):
        self._stop.wait(seconds)

    def _replica(self, rng):
        return rng.choice(self._system.replicas)

    def _client(self, rng):
        return rng.choice(self._system.clients)

    def _some(self, rng, processes):
        """Mostly one; sometimes two, or all of them."""
        most = len(processes)
        count = rng.choices((1, min(2, most), most), (60, 25, 15))[0]
        return rng.sample(processes, count)

    # --- Replicas

    def _replica_stop(self, kind, seconds, rng):
        """A host that stops is often slow before and afterwards."""
        replica = self._replica(rng)
        place = (replica.place,)
        with self._in_force(kind, place, unreachable=place):
            with self._often_slow(rng, [replica.link]):
                replica.freeze()
                try:
                    self._rest(seconds)
                finally:
                    replica.thaw()

    def _replica_stutter(self, kind, seconds, rng):
        self._stutter(kind, seconds, rng, self._replica(rng))

    def _stutter(self, kind, seconds, rng, process):
        """Many short pauses, and a long one now and then."""
        place = (process.place,)
        with self._in_force(kind, place, unreachable=place):
            end = history_module.now() + int(seconds * 1e9)
            try:
                while history_module.now() < end and not self._stop.is_set():
                    long = rng.random() < 0.03
                    process.freeze()
                    self._rest(
                        rng.uniform(0.2, 1.2) * self._ttl
                        if long
                        else rng.uniform(0.001, 0.1)
                    )
                    process.thaw()
                    self._rest(rng.uniform(0.001, 0.03))
            finally:
                process.thaw()

    def _replica_kill(self, kind, seconds, rng):
        replica = self._replica(rng)
        place = (replica.place,)
        with self._in_force(kind, place, unreachable=place):
            replica.kill()
            try:
                # Often its supervisor is quick.
                self._rest(seconds if rng.random() < 0.6 else 0.05)
            finally:
                replica.release()

    def _hosts_lost(self, kind, seconds, rng):
        """Each with its replica, and back at once."""

        def lose(replicas):
            for replica in replicas:
                replica.kill()
            try:
                self._rest(0.05)
            finally:
                for replica in replicas:
                    replica.release()

        self._unheard(kind, rng, lose)

    def _rolling_restart(self, kind, seconds, rng):
        """A proxy that is between a replica and its clients goes first."""

        def restart(replicas):
            starts = [replica.starts for replica in replicas]
            for replica in replicas:
                replica.drain()
            for replica, before in zip(replicas, starts):
                replica.wait_for_start_after(before, 20, self._stop)

        self._unheard(kind, rng, restart)

    def _unheard(self, kind, rng, end):
        """Ends one replica after the other, and sometimes all at once then,
        while no client hears that its connection is gone. Between two of them
        is time for one that is back to confirm changes, which after a failover
        takes it a lease's length."""
        replicas = rng.sample(
            self._system.replicas, len(self._system.replicas)
        )
        turns = [[replica] for replica in replicas]
        if rng.random() < 0.5:
            turns.append(replicas)
        clients = list(self._system.client_links)
        places = [replica.place for replica in replicas] + clients
        network = self._system.network
        with self._in_force(kind, places, unreachable=places):
            for turn in turns:
                if self._stop.is_set():
                    return
                links = [
                    f"{client}-{replica.place}"
                    for client in clients
                    for replica in turn
                ]
                for link in links:
                    network.silence(link)
                try:
                    end(turn)
                    self._rest(1.2 * self._ttl)
                finally:
                    for link in links:
                        network.reset_silent(link)

    def _replica_drain(self, kind, seconds, rng):
        replica = self._replica(rng)
        place = (replica.place,)
        with self._in_force(kind, place, unreachable=place):
            starts = replica.starts
            replica.drain()
            # Its own bounds are far shorter; a database may be away, too.
            replica.wait_for_start_after(starts, 20, self._stop)

    def _replica_row_removed(self, kind, seconds, rng):
        """By hand, as a reaper would: once its lease must be over. To take a
        row away earlier is to break the protocol."""
        replica = self._replica(rng)
        place = (replica.place,)
        with self._in_force(kind, place, unreachable=place) as fault:
            starts = replica.starts
            database = self._system.database
            primary = database.primary
            replica.freeze()
            try:
                rows = database.replica_rows()
                self._rest(self._ttl * 1.002 + 0.2)
                # A new primary may not have seen the last renewals.
                if database.primary is not primary:
                    fault.detail = "not struck: a failover came between"
                    return
                fault.detail = f"{database.remove_replica_rows(rows)} rows"
            except RuntimeError:
                fault.detail = "not struck: the database is away"
                return
            finally:
                replica.thaw()
            # Somebody else may have taken it away just before.
            replica.wait_for_start_after(starts, self._ttl + 2, self._stop)

    def _wall_clock_jump(self, kind, seconds, rng):
        """No clock that matters: nothing is excused."""
        replica = self._replica(rng)
        # Backwards is what upsets those who wait until a time of day.
        jump = rng.choice((-1, -1, 1)) * rng.choice((5, 60, 3600, 86400))
        with self._in_force(kind) as fault:
            fault.detail = f"{jump:+d} s at {replica.place}"
            replica.set_wall_clock(jump)
            # Longer than a lease lasts that nobody extends.
            self._rest(max(seconds, 2 * self._ttl + 3))
            # A correction is a jump, too. Some are never corrected.
            if rng.random() < 0.7:
                replica.set_wall_clock(0)

    # --- Clients

    def _client_stop(self, kind, seconds, rng):
        clients = self._some(rng, self._system.clients)
        places = [client.place for client in clients]
        with self._in_force(kind, places, unreachable=places):
            for client in clients:
                client.freeze()
            try:
                self._rest(seconds)
            finally:
                for client in clients:
                    client.thaw()

    def _client_stutter(self, kind, seconds, rng):
        """What came meanwhile is all there at once when it goes on."""
        self._stutter(kind, seconds, rng, self._client(rng))

    def _client_kill(self, kind, seconds, rng):
        clients = self._some(rng, self._system.clients)
        places = [client.place for client in clients]
        with self._in_force(kind, places, unreachable=places):
            for client in clients:
                client.kill()
            try:
                self._rest(seconds if rng.random() < 0.5 else 0.05)
            finally:
                for client in clients:
                    client.start()

    def _cut_client(self, kind, seconds, rng, **settings):
        """From one server, or from all of them."""
        clients = self._some(rng, self._system.clients)
        places = [client.place for client in clients]
        links = []
        for place in places:
            ways = self._system.client_links[place]
            links += ways if rng.random() < 0.5 else [rng.choice(ways)]
        with self._in_force(kind, places, unreachable=places):
            with self._links_set(links, **settings):
                self._rest(seconds)

    @contextlib.contextmanager
    def _links_set(self, links, **settings):
        network = self._system.network
        usual = {
            name: 0.0 if name == "delay" else False for name in settings
        }
        try:
            for link in links:
                network.set(link, **settings)
            yield
        finally:
            for link in links:
                network.set(link, **usual)

    def _client_cut_both(self, kind, seconds, rng):
        self._cut_client(
            kind, seconds, rng, hold_forward=True, hold_backward=True
        )

    def _client_cut_to_server(self, kind, seconds, rng):
        self._cut_client(kind, seconds, rng, hold_forward=True)

    def _client_cut_from_server(self, kind, seconds, rng):
        self._cut_client(kind, seconds, rng, hold_backward=True)

    def _client_latency(self, kind, seconds, rng):
        """It has to be served all the same."""
        clients = self._some(rng, self._system.clients)
        links = [
            link
            for client in clients
            for link in self._system.client_links[client.place]
        ]
        with self._in_force(kind):
            with self._links_set(links, delay=rng.uniform(0.005, 0.2)):
                self._rest(seconds)

    def _client_reset(self, kind, seconds, rng):
        """Connections end, again and again."""
        client = self._client(rng)
        links = self._system.client_links[client.place]
        place = (client.place,)
        with self._in_force(kind, place):
            for _ in range(rng.randint(1, 4)):
                for link in links:
                    if rng.random() < 0.7:
                        self._system.network.reset(link)
                self._rest(rng.uniform(0.05, seconds / 3))

    # --- Between replicas and the database

    @contextlib.contextmanager
    def _in_force_on_links(self, kind, rng):
        """Yields the ways from some replicas to the database."""
        replicas = self._some(rng, self._system.replicas)
        with self._in_force(
            kind,
            [replica.place for replica in replicas],
            # Who makes changes gets them from any replica.
            database=len(replicas) > 1,
        ):
            yield [replica.link for replica in replicas]

    def _cut_database(self, kind, seconds, rng, **settings):
        """What fails is often slow before, and not back soon: what is back
        before a lease has run out takes none away."""
        if rng.random() < 0.85:
            seconds = max(seconds, 1.2 * self._ttl)
        with self._in_force_on_links(kind, rng) as links:
            with self._often_slow(rng, links), self._links_set(
                links, **settings
            ):
                self._rest(seconds)
                if rng.random() < 0.3:
                    # The connections did not survive that.
                    for link in links:
                        self._system.network.reset(link)

    @contextlib.contextmanager
    def _often_slow(self, rng, links):
        """Ways that are often slow for a while before something, and during
        it: as slow as a lease can be held with."""
        if rng.random() < 0.1:
            yield
            return
        with self._links_set(links, delay=rng.uniform(0.07, 0.2) * self._ttl):
            self._rest(self._ttl * 0.6)
            yield

    def _database_cut_both(self, kind, seconds, rng):
        self._cut_database(
            kind, seconds, rng, hold_forward=True, hold_backward=True
        )

    def _database_cut_to(self, kind, seconds, rng):
        self._cut_database(kind, seconds, rng, hold_forward=True)

    def _database_cut_from(self, kind, seconds, rng):
        self._cut_database(kind, seconds, rng, hold_backward=True)

    def _database_latency(self, kind, seconds, rng):
        with self._in_force_on_links(kind, rng) as links:
            delay = rng.choice(
                (rng.uniform(0.002, 0.15), rng.uniform(0.1, 0.2) * self._ttl)
            )
            with self._links_set(links, delay=delay):
                self._rest(max(seconds, self._ttl))

    def _database_reset(self, kind, seconds, rng):
        """Connections end, again and again."""
        replicas = self._some(rng, self._system.replicas)
        with self._in_force(kind, [replica.place for replica in replicas]):
            for _ in range(rng.randint(1, 6)):
                for replica in replicas:
                    self._system.network.reset(replica.link)
                self._rest(rng.uniform(0.01, seconds / 4))

    def _notifications_held(self, kind, seconds, rng):
        """Polling brings the changes all the same: nothing is excused."""
        replicas = self._some(rng, self._system.replicas)
        with self._in_force(kind):
            links = [replica.link for replica in replicas]
            with self._links_set(links, hold_notifications=True):
                self._rest(max(seconds, 2 * self._ttl + 3))

    def _commit_answers_lost(self, kind, seconds, rng):
        """What was committed is in doubt."""
        with self._in_force_on_links(kind, rng) as links:
            end = history_module.now() + int(min(seconds, 2.5) * 1e9)
            while history_module.now() < end and not self._stop.is_set():
                with self._links_set(links, lose_commits=True):
                    self._rest(rng.uniform(0.01, 0.2))
                self._rest(rng.uniform(0.05, 0.5))

    # --- PostgreSQL

    def _kill_backends(self, which) -> str:
        return self._system.database.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            f"WHERE application_name = 'tokend' AND {which}"
        ).strip()

    def _backends_killed(self, kind, seconds, rng):
        with self._in_force(kind, database=True) as fault:
            killed = 0
            for _ in range(rng.randint(1, 4)):
                share = rng.choice((0.2, 1.0))
                killed += int(self._kill_backends(f"random() < {share}"))
                self._rest(rng.uniform(0.01, 0.3))
            fault.detail = f"{killed} of them"

    def _listeners_killed(self, kind, seconds, rng):
        """Polling brings the changes all the same: nothing is excused."""
        with self._in_force(kind) as fault:
            killed = 0
            end = history_module.now() + int(seconds * 1e9)
            while history_module.now() < end and not self._stop.is_set():
                killed += int(self._kill_backends("query ILIKE 'LISTEN%'"))
                self._rest(rng.uniform(0.05, 1))
            fault.detail = f"{killed} of them"

    def _database_crash(self, kind, seconds, rng):
        database = self._system.database
        with self._in_force(kind, database=True):
            database.primary.stop("immediate")
            try:
                self._rest(seconds if rng.random() < 0.7 else 0)
            finally:
                database.primary.revive()
                database.wait_for_standby()

    def _standby_cut(self, kind, seconds, rng):
        """Commits wait; some waits are cancelled, which confirms nothing."""
        database = self._system.database
        cancels = rng.random() < 0.5
        with self._in_force(kind, database=True) as fault:
            with self._links_set(
                [database.standby_link], hold_forward=True, hold_backward=True
            ):
                fault.detail = self._cancel_for(seconds, cancels)
            database.wait_for_standby()

    def _cancel_for(self, seconds, cancels) -> str:
        """Rests, and cancels what waits for the standby meanwhile."""
        database = self._system.database
        end = history_module.now() + int(seconds * 1e9)
        cancelled = 0
        while history_module.now() < end and not self._stop.is_set():
            if cancels:
                node = database.deposed or database.primary
                with contextlib.suppress(RuntimeError):
                    cancelled += database.cancel_waits(node)
            self._rest(0.3)
        return f"{cancelled} waits cancelled"

    def _promotion_beside_primary(self, kind, seconds, rng):
        """The old primary lives on, and some stay with it for a while."""
        with self._in_force(kind, database=True) as fault:
            self._system.database.promote()
            fault.detail = self._move_over(seconds, rng)
        self._recover_standby()

    def _promotion_after_crash(self, kind, seconds, rng):
        database = self._system.database
        with self._in_force(kind, database=True):
            database.primary.stop("immediate")
            self._rest(seconds if rng.random() < 0.7 else 0)
            database.promote()
            database.retire()
        self._recover_standby()

    def _promotion_behind(self, kind, seconds, rng):
        """The old primary has commits that were never confirmed."""
        database = self._system.database
        with self._in_force(kind, database=True) as fault:
            link = database.standby_link
            self._system.network.set(
                link, hold_forward=True, hold_backward=True
            )
            self._cancel_for(min(seconds, self._ttl / 2), True)
            # What is on its way never arrives.
            self._system.network.close(link)
            database.standby_link = ""
            database.promote()
            fault.detail = self._move_over(seconds, rng)
        self._recover_standby()

    def _move_over(self, seconds, rng) -> str:
        """Replicas find the new primary one after another."""
        database = self._system.database
        cancels = rng.random() < 0.5
        try:
            moves = sorted(
                (rng.uniform(0, seconds), replica.link)
                for replica in self._system.replicas
            )
            begun = 0.0
            detail = ""
            for at, link in moves:
                detail = self._cancel_for(at - begun, cancels)
                begun = at
                self._system.network.reset(link)
        finally:
            database.retire()
        return detail

    def _recover_standby(self):
        """Service is back already; the next failover needs it."""
        self._system.database.add_standby()

    def _disk_full(self, kind, seconds, rng):
        database = self._system.database
        with self._in_force(kind, database=True) as fault:
            database.primary.fill_disk()
            try:
                self._rest(seconds)
            finally:
                database.primary.free_disk()
                fault.detail = (
                    "" if database.primary.is_running() else "it went down"
                )
                database.primary.revive()
                database.wait_for_standby()
