#!/usr/bin/env bash
# venv.sh PYTHON VENV LOCK: make the environment from a lock file with hashes, wheels only.
set -euo pipefail
python=$1 venv=$2 lock=$3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Groundskeeper needs Python 3.11 or newer; '$python' is not that. Name another: make up PYTHON=/usr/bin/python3.11" >&2
  exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing python3-venv …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "Python's venv module is missing. Install it, then run the same command again:  sudo apt-get install python3-venv" >&2
    exit 2
  fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "installing what ${lock} names (hashes checked) …"
"$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: -r "$lock" 2> >(grep -v "is ignored: it is neither" >&2)
"$venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2> >(grep -v "is ignored: it is neither" >&2)
