# shellcheck shell=bash
# The private server of ./dev up, and the settings page: where they live, and how
# their processes are stopped. Sourced, never run.
#
# PostgreSQL refuses to run as root, so as root its cluster belongs to the user
# `postgres`, and otherwise to the caller.

# shellcheck disable=SC2034 # read by the scripts that source this file
readonly LOCAL=$ROOT/.local
# shellcheck disable=SC2034
readonly BIN=$ROOT/build/release/bin
readonly TOKEND_LOG=$LOCAL/tokend.log
readonly TOKEND_PID=$LOCAL/tokend.pid
# shellcheck disable=SC2034
readonly PAGE_LOG=$LOCAL/page.log
readonly PAGE_PID=$LOCAL/page.pid
# What runs is the backend of the settings page.
readonly PAGE_BACKEND=$ROOT/client/settings-ui/dist/server/main.js

if ((EUID == 0)); then
  readonly PG_USER=postgres
  as_pg_user() {
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
  }
else
  PG_USER=$(id -un)
  readonly PG_USER
  as_pg_user() { (cd / && "$@"); }
fi

# Prints the directory for the cluster and its socket: .local, unless the
# database's user cannot get there (a checkout below /root), or the socket's
# path would be longer than the kernel allows (107 bytes).
pick_pg_home() {
  local socket=$LOCAL/run/.s.PGSQL.5432
  if ((${#socket} <= 100)) && as_pg_user test -x "$ROOT"; then
    printf '%s\n' "$LOCAL"
  else
    printf '/var/tmp/wemasy-tokens-%s\n' \
      "$(printf '%s' "$ROOT" | sha256sum | cut -c1-12)"
  fi
}

# Sets PG_HOME, PG_DATA, PG_RUN and DATABASE (the URL but for the user).
locate_postgres() {
  if ((EUID == 0)) && ! getent passwd postgres >/dev/null; then
    die "there is no user postgres; scripts/install-deps makes one"
  fi
  PG_HOME=$(pick_pg_home)
  PG_DATA=$PG_HOME/postgres
  PG_RUN=$PG_HOME/run
  # In a URL the directory is a parameter, percent-encoded.
  DATABASE="postgresql:///tokens?host=$(url_encode "$PG_RUN")"
}

url_encode() {
  python3 -c 'import sys, urllib.parse
print(urllib.parse.quote(sys.argv[1], safe="/"))' "$1"
}

# Runs one of PostgreSQL's programs as the cluster's user. The cluster's own
# version, if there is one, as no other can read it.
pg() {
  local program=$1 directory
  shift
  if [[ -f $PG_DATA/PG_VERSION ]]; then
    directory=/usr/lib/postgresql/$(<"$PG_DATA/PG_VERSION")/bin
  else
    directory=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  fi
  [[ -x $directory/$program ]] ||
    die "no $directory/$program; scripts/install-deps installs PostgreSQL"
  as_pg_user "$directory/$program" "$@"
}

postgres_runs() {
  [[ -f $PG_DATA/PG_VERSION ]] && pg pg_ctl status -D "$PG_DATA" >/dev/null 2>&1
}

# Makes a directory that only the database's user, and root, can enter. One
# that is there already in a place open to all must be our own.
make_private_directory() {
  local directory=$1
  if [[ ! -e $directory ]]; then
    mkdir -m 700 -- "$directory"
    chown "$PG_USER" -- "$directory"
  fi
  [[ ! -L $directory && $(stat -c %U:%a "$directory") == "$PG_USER:700" ]] ||
    die "$directory is not a directory of $PG_USER alone (mode 700)"
}

# Starts the cluster, and makes it first if there is none.
start_postgres() {
  [[ $PG_HOME == "$LOCAL" ]] || make_private_directory "$PG_HOME"
  make_private_directory "$PG_RUN"
  if [[ ! -d $PG_DATA ]]; then
    note "Making a PostgreSQL cluster in $PG_DATA"
    # Under another name first, so that what was interrupted is not used.
    rm -rf -- "$PG_DATA.new"
    make_private_directory "$PG_DATA.new"
    # Trust is enough: only who may enter the socket's directory can connect.
    pg initdb --pgdata="$PG_DATA.new" --username=postgres --encoding=UTF8 \
      --locale=C.UTF-8 --auth-local=trust --auth-host=reject >/dev/null
    mv -- "$PG_DATA.new" "$PG_DATA"
  fi
  if ! postgres_runs; then
    # Without the lock, which the server would hold as long as it runs.
    (
      exec {local_lock}>&-
      pg pg_ctl start -D "$PG_DATA" -w -t 60 -s -l "$PG_DATA/server.log" \
        -o "-c listen_addresses='' -c unix_socket_directories='$PG_RUN'"
    ) ||
      die "PostgreSQL does not start; see $PG_DATA/server.log"
  fi
  # tokend's own role, which `tokend migrate` grants what it needs.
  if [[ -z $(sql postgres "SELECT 1 FROM pg_roles WHERE rolname = 'tokend'") ]]; then
    sql postgres 'CREATE ROLE tokend LOGIN'
  fi
  if [[ -z $(sql postgres "SELECT 1 FROM pg_database WHERE datname = 'tokens'") ]]; then
    sql postgres 'CREATE DATABASE tokens'
  fi
}

# Runs a statement: sql DATABASE STATEMENT.
sql() {
  pg psql --no-psqlrc --quiet --tuples-only --no-align --host="$PG_RUN" \
    --username=postgres --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"
}

stop_postgres() {
  postgres_runs || return 0
  pg pg_ctl stop -D "$PG_DATA" -m fast -w -t 60 -s
}

# Prints the process id of our tokend, if it runs.
tokend_pid() {
  local pid
  [[ -f $TOKEND_PID ]] || return 0
  pid=$(<"$TOKEND_PID")
  # The number may be another process's by now. After a rebuild the old file
  # is "(deleted)".
  if [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == "$BIN/tokend"* ]]; then
    printf '%s\n' "$pid"
  fi
}

# Prints the process id of the settings page, if it runs.
page_pid() {
  local pid
  [[ -f $PAGE_PID ]] || return 0
  pid=$(<"$PAGE_PID")
  if [[ -e /proc/$pid/cmdline ]] &&
    tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -e "$PAGE_BACKEND"; then
    printf '%s\n' "$pid"
  fi
}

stop_tokend() { stop_process tokend "$TOKEND_PID"; }
stop_page() { stop_process page "$PAGE_PID"; }

# Stops what $1_pid prints the process of, and $2 has the number of, if it runs.
stop_process() {
  local what=$1 file=$2 pid waited=0
  pid=$("${what}_pid")
  [[ -n $pid ]] || return 0
  kill -TERM "$pid"
  # It drains; then it must be gone.
  while [[ -n $("${what}_pid") ]]; do
    ((waited++ < 300)) || die "$what (process $pid) does not stop"
    sleep 0.1
  done
  rm -f -- "$file"
}

# Holds off a second up or down in the same checkout.
lock_local() {
  install -d -m 755 "$LOCAL"
  exec {local_lock}>"$LOCAL/lock"
  flock --nonblock "$local_lock" ||
    die "another ./dev up or ./dev down is at work here"
}
