# shellcheck shell=bash
# Python environments in the cache. Sourced, after scripts/lib.sh.

# Prints the directory of the environment with the packages of a requirements
# file, and makes it first if it is not there: python_environment FILE.
#
# Its name is derived from the requirements, so that changing them makes
# another one.
python_environment() {
  local requirements=$1 environment python=/usr/bin/python3
  environment=$CACHE/python-client-$(lines_of "$requirements" |
    sha256sum | cut -c1-12)
  if [[ ! -e $environment/complete ]]; then
    lock_cache python-client
    if [[ ! -e $environment/complete ]]; then
      note "Making the Python environment $environment"
      [[ -x $python ]] || python=python3
      rm -rf -- "$environment"
      "$python" -m venv "$environment" >&2 ||
        die "cannot make a Python environment; is python3-venv installed?"
      "$environment/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$requirements" >&2
      touch "$environment/complete"
    fi
  fi
  printf '%s\n' "$environment"
}
