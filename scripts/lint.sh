#!/usr/bin/env bash
# lint.sh: everything that can be said about the code without running the product. Stops at the first complaint.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf '\n== %s\n' "$*"; }

say "ruff"
ruff check .
ruff format --check .

say "mypy"
env -u DATABASE_URL -u REDIS_URL DEBUG=1 VAR_DIR="$scratch" mypy

say "layers"
lint-imports --no-cache

say "migrations"
env -u DATABASE_URL -u REDIS_URL DEBUG=1 VAR_DIR="$scratch" \
    python manage.py makemigrations --check --dry-run

say "deployment settings"
# As in production: nothing of the developer's environment, secrets made up on the spot.
secret() { python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes($1)).decode())"; }
env -i PATH="$PATH" VAR_DIR="$scratch" DEBUG=0 SECRET_KEY="$(secret 64)" ALLOWED_HOSTS=privacy.example.com \
    BASE_URL=https://privacy.example.com RIGHTSDESK_MASTER_KEYS="k1:$(secret 32)" RIGHTSDESK_ROOT_KEY="$(secret 32)" \
    DATABASE_URL=postgres://rightsdesk@127.0.0.1/rightsdesk REDIS_URL=redis://127.0.0.1:6379/0 \
    python manage.py check --deploy --fail-level WARNING

say "lock"
python scripts/check_lock.py
if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
    uv pip check --quiet --python .venv/bin/python
else
    python -m pip check
fi
if command -v osv-scanner >/dev/null && [ -d "${OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY:-}" ]; then
    osv-scanner scan --offline --lockfile requirements.txt
    echo "checked: every requirement pinned and hashed, installed set consistent, advisories (offline database)"
else
    echo "checked: every requirement pinned and hashed, installed set consistent; not checked: advisories" \
        "(no osv-scanner with a database in OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY)"
fi
