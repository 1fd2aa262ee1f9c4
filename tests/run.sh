#!/usr/bin/env bash
# All tests. In CI the lab's tests must run: without root they fail, they do not skip.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/alone.sh .venv/bin/pytest -q -n 2 --timeout 60 tests --ignore=tests/lab
.venv/bin/pytest -q --timeout 900 tests/lab
