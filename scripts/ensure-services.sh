#!/usr/bin/env bash
# ensure-services.sh [postgresql] [redis] [chromium] [pango]: what the tests need from the machine is there and runs.
# Starts what has stopped; installs from Debian what is missing, where we are root. Ends with 1, after one clear line
# for each, if something cannot be had. Servers named by DATABASE_URL and REDIS_URL are the caller's own business.
set -uo pipefail

missing=0

complain() {
    echo "missing: $*" >&2
    missing=1
}

install() { # install PACKAGE COMMAND…: from Debian, unless one of the commands is there
    local package=$1 command
    shift
    for command in "$@"; do
        if command -v "$command" >/dev/null; then
            return 0
        fi
    done
    if ! command -v apt-get >/dev/null; then
        complain "$package (no apt-get here: install it by hand)"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        complain "$package (as root: apt-get install $package)"
        return 1
    fi
    echo "Installing $package …"
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get install -qq -y --no-install-recommends "$package" >/dev/null 2>&1; then
        apt-get update -qq >/dev/null 2>&1
        if ! apt-get install -qq -y --no-install-recommends "$package" >/dev/null 2>&1; then
            complain "$package (apt-get could not install it)"
            return 1
        fi
    fi
}

wait_for() { # wait_for COMMAND…: until it succeeds, at most 30 seconds
    local turn
    for turn in $(seq 150); do
        if "$@" >/dev/null 2>&1; then
            return 0
        fi
        sleep 0.2
    done
    return 1
}

ensure_postgresql() {
    local version cluster port rest
    if [[ ${DATABASE_URL:-} == postgres* ]]; then
        return 0
    fi
    install postgresql pg_lsclusters || return 1
    # The cluster on the usual port, or the first one.
    read -r version cluster port rest < <(pg_lsclusters -h | sort -k3,3n)
    if [ -z "${version:-}" ]; then
        complain "a PostgreSQL cluster (pg_createcluster makes one)"
        return 1
    fi
    if ! pg_isready -q -h 127.0.0.1 -p "$port"; then
        pg_ctlcluster --skip-systemctl-redirect "$version" "$cluster" start || true
        if ! wait_for pg_isready -q -h 127.0.0.1 -p "$port"; then
            complain "PostgreSQL ($version $cluster does not start; see /var/log/postgresql)"
            return 1
        fi
    fi
    # A role of its own, for tests on this machine only. Superuser, because tests lift the guards (session_replication_role)
    # to forge what the guards forbid; the product itself never needs it.
    local ours="postgresql://rightsdesk:rightsdesk@127.0.0.1:$port/rightsdesk"
    if [ "$(psql -qtA "$ours" -c 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user' 2>/dev/null)" = t ]; then
        return 0
    fi
    local admin=(psql -q -v ON_ERROR_STOP=1 -p "$port" -d postgres)
    if [ "$(id -u)" -eq 0 ]; then
        admin=(runuser -u postgres -- "${admin[@]}")
    fi
    (cd / && "${admin[@]}") >/dev/null <<'SQL' || true
SELECT 'CREATE ROLE rightsdesk' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rightsdesk') \gexec
ALTER ROLE rightsdesk LOGIN SUPERUSER PASSWORD 'rightsdesk';
SELECT 'CREATE DATABASE rightsdesk OWNER rightsdesk'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'rightsdesk') \gexec
SQL
    psql -q "$ours" -c '' >/dev/null || complain "a database and a role rightsdesk on 127.0.0.1:$port (could not be made)"
}

ensure_redis() {
    if [ -n "${REDIS_URL:-}" ]; then
        return 0
    fi
    install redis-server redis-server || return 1
    if ! redis-cli -h 127.0.0.1 -p 6379 ping >/dev/null 2>&1; then
        (cd / && redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no >/dev/null)
        wait_for redis-cli -h 127.0.0.1 -p 6379 ping || complain "Redis (it does not start)"
    fi
}

ensure_chromium() {
    local package=chromium
    # The same engine without windows, where Debian has it: smaller, and a third less work.
    if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        package=chromium-headless-shell
    fi
    install "$package" chromium-headless-shell chromium chromium-browser
}

ensure_pango() { # what presses letters into PDFs (WeasyPrint)
    if ldconfig -p | grep -q 'libpangoft2-1\.0\.so\.0'; then
        return 0
    fi
    # No command tells that a library is there.
    install libpangoft2-1.0-0 no-such-command && install fonts-dejavu-core no-such-command
}

for service in "$@"; do
    case $service in
        postgresql | redis | chromium | pango) "ensure_$service" ;;
        *) complain "a way to provide $service" ;;
    esac
done
exit "$missing"
