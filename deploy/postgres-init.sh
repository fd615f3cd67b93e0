#!/bin/bash
# Run by the PostgreSQL image once, when its volume is new: makes the role that
# the server runs with. `tokend migrate --migrate-role=tokend` grants it what
# it needs.
set -euo pipefail

# By standard input, and read by psql itself: an argument could be seen.
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres \
  --dbname="$POSTGRES_DB" <<'END'
\set password `cat /run/secrets/tokend_password`
CREATE ROLE tokend LOGIN PASSWORD :'password';
END
