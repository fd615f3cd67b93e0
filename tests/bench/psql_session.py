"""A session of the database's, to ask it things between measurements."""

WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"


class Session:
    """One of the database's, for all that is asked: to begin another would cost
    more than what is measured."""

    def __init__(self, world):
        self._psql = world.cluster.open_session(world.database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._psql.communicate()

    def ask(self, sql: str) -> str:
        self._psql.stdin.write(f"{sql};\n\\echo .\n")
        self._psql.stdin.flush()
        answer = ""
        while (line := self._psql.stdout.readline()) != ".\n":
            if not line:
                raise RuntimeError("psql has ended")
            answer += line
        return answer.strip()
