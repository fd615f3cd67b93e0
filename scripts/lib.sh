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

# Runs a command, and again if it fails: registries have bad moments.
try_again() {
  local pause
  for pause in 5 20; do
    "$@" && return
    note "Failed, once more in $pause s: $*"
    sleep "$pause"
  done
  "$@"
}

# Makes a Python environment in a folder, anew, with what pip is asked for:
# make_python_environment FOLDER PIP-ARGUMENT...
make_python_environment() {
  local folder=$1 python=/usr/bin/python3
  shift
  [[ -x $python ]] || python=python3
  rm -rf -- "$folder"
  "$python" -m venv "$folder" >&2 ||
    die "cannot make a Python environment; is python3-venv installed?"
  try_again "$folder/bin/pip" install --quiet --disable-pip-version-check \
    "$@" >&2
}

# Prints the directory of the Python environment with the packages of
# requirements files, and makes it first if it is not there: python_environment
# NAME FILE...
#
# It lives in the cache under NAME and a key derived from the requirements, so
# that changing them makes another one.
python_environment() {
  local name=$1 environment file options=()
  shift
  for file in "$@"; do
    options+=(--requirement "$file")
  done
  environment=$CACHE/$name-$(for file in "$@"; do
    lines_of "$file"
  done | sha256sum | cut -c1-12)
  if [[ ! -e $environment/complete ]]; then
    lock_cache "$name"
    if [[ ! -e $environment/complete ]]; then
      note "Making the Python environment $environment"
      make_python_environment "$environment" "${options[@]}"
      touch "$environment/complete"
    fi
  fi
  printf '%s\n' "$environment"
}
