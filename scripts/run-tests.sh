#!/usr/bin/env bash
# run-tests.sh [ARGUMENTS FOR PYTEST]: every test, on what DATABASE_URL and REDIS_URL name or on the embedded pair.
set -euo pipefail
cd "$(dirname "$0")/.."

without=()
if ! scripts/ensure-services.sh chromium; then
    if [ "${CI:-}" = true ]; then
        exit 1
    fi
    without=(--ignore=tests/browser)
fi
.venv/bin/python -m pytest "${without[@]}" "$@"
if [ ${#without[@]} -gt 0 ]; then
    echo "The browser tests were left out: there is no Chromium (Debian: apt-get install chromium)."
fi
