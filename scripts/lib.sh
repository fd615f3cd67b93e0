# shellcheck shell=bash
# What the scripts share. Sourced, never run.
#
# Sets ROOT to the repository and CACHE to the directory in which things are
# built once for all checkouts (BoringSSL, the Python environment).

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/wemasy-tokens
# shellcheck disable=SC2034 # read by the scripts that source this file
readonly ROOT CACHE

note() { printf '%s\n' "$*" >&2; }

die() {
  note "error: $*"
  exit 1
}

# Runs a command as root, through sudo when we are not root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    die "need root for: $* (run as root, or install sudo)"
  fi
}

# Prints the lines of a file without comments and blank lines.
lines_of() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' -- "$1"; }

# Holds an exclusive lock, named $1, until this shell ends, so that two
# checkouts or two terminals do not build the same cached thing at once.
lock_cache() {
  mkdir -p -- "$CACHE"
  exec {lock_fd}>"$CACHE/$1.lock"
  flock "$lock_fd"
}
