#!/usr/bin/env bash
# Sets up what is missing, then does what the verb says: `./run.sh help`. dev.ps1 has the same verbs for Windows.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
venv=$root/.venv
python=$venv/bin/python

usage() {
    cat <<'END'
./run.sh [ARGS]         set up what is missing, then run the program; without ARGS that is the demo
./run.sh VERB [ARGS]

  setup   set up only: Python packages, models, engines
  check   format, lint, types, import layers
  fix     format, and mend what the linter can mend
  test    all tests; ARGS go to pytest
  bench   measure latency: testbench.latency ARGS
  run     the same as no verb
  train   train the detector: training.run ARGS (--preset tiny is a trial of a minute)
  help    this text

FACEWIRE_PYTHON names the Python to set up with (3.10 to 3.13).
FACEWIRE_LOCKED=1 installs the very versions of requirements/*.txt, each file checked by its hash.
END
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# A shim of pyenv exists for versions that are not there, so each candidate is asked to do something.
usable() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    local candidate
    if [[ -n ${FACEWIRE_PYTHON-} ]]; then
        usable "$FACEWIRE_PYTHON" || fail "FACEWIRE_PYTHON cannot be used." "  saw: $FACEWIRE_PYTHON" \
            "  fix: name a Python from 3.10 to 3.13"
        printf '%s' "$FACEWIRE_PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3.10 python3 python; do
        if usable "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "No Python from 3.10 to 3.13 was found." \
        "  fix: install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one in FACEWIRE_PYTHON"
}

# step WHAT COMMAND…: one line of progress; the command's output is shown only when it fails.
step() {
    local what=$1 log began=$SECONDS
    shift
    log=$(mktemp)
    printf '%s … ' "$what" >&2
    if ! "$@" >"$log" 2>&1 </dev/null; then
        printf 'failed\n' >&2
        tail -n 40 "$log" >&2
        fail "" "Setting up stopped at: $what" "  fix: see the lines above; the whole log is $log"
    fi
    rm -f "$log"
    printf '%d s\n' $((SECONDS - began)) >&2
}

make_venv() {
    local base
    if [[ -x $python ]] && usable "$python" && "$python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    base=$(find_python)
    "$base" -c 'import ensurepip, venv' 2>/dev/null || fail "This Python cannot make virtual environments." \
        "  saw: $base has no ensurepip" "  fix: Debian, Ubuntu: apt-get install python3-venv; or name another in FACEWIRE_PYTHON"
    rm -rf "$venv"
    step "Making .venv with $("$base" --version 2>&1)" "$base" -m venv "$venv"
}

# What an installation depends on: a change of it sets up again.
packages_print() {
    {
        cat "$root/pyproject.toml" "$venv/pyvenv.cfg" 2>/dev/null
        [[ -z ${FACEWIRE_LOCKED-} ]] || cat "$root"/requirements/*.txt
    } | cksum
}

# Which models are wanted, and where they lie, is a matter of settings.
models_print() {
    {
        cat "$root"/checkpoints/manifests/*.json "$venv/pyvenv.cfg"
        [[ ! -f $root/.env ]] || cat "$root/.env"
        printf '%s\n' "${DATA_DIR-}" "${DETECTOR_ENGINE-}" "${DETECTOR-}" "${EMBEDDING_ENGINE-}" "${EMBEDDER-}" \
            "${PRECISION-}" "${USE_FP16-}" "${BACKEND-}"
    } | cksum
}

# The versions that are written down, nothing else: also what builds this program comes from there.
install_locked() {
    local lock=$root/requirements/$1.txt pip=("$python" -m pip install --disable-pip-version-check --no-input)
    [[ -f $lock ]] || fail "There is no lock file for this." "  saw: $lock" "  fix: leave out FACEWIRE_LOCKED"
    step "Installing the packages of requirements/$1.txt (about a minute)" "${pip[@]}" --require-hashes -r "$lock"
    step "Installing Facewire" "${pip[@]}" --no-deps --no-build-isolation -e "$root"
}

# install EXTRA: nothing, dev or train. Each brings what the plain installation has.
install() {
    local extra=${1-} stamp=$venv/facewire-packages${1:+-$1}
    if [[ -x $python && -f $stamp && $(<"$stamp") == "$(packages_print)" ]]; then
        return
    fi
    make_venv
    if [[ -n ${FACEWIRE_LOCKED-} ]]; then
        install_locked "${extra:-run}"
    else
        step "Installing packages${extra:+ for ${extra}} (about a minute)" \
            "$python" -m pip install --disable-pip-version-check --no-input -e "$root${extra:+[$extra]}"
    fi
    "$python" -c 'import cv2' 2>/dev/null || fail "OpenCV cannot be loaded." \
        "  saw: $("$python" -c 'import cv2' 2>&1 | tail -n 1)" \
        "  fix: Debian, Ubuntu: apt-get install libgl1 libglib2.0-0 libxcb1"
    packages_print | tee "$venv/facewire-packages" >"$stamp"
}

prepare() {
    local stamp=$venv/facewire-models
    if [[ -f $stamp && $(head -n 1 "$stamp") == "$(models_print)" && -d $(tail -n 1 "$stamp") ]]; then
        return
    fi
    rm -f "$stamp"
    step "Fetching models and building engines" "$python" -m app.prepare --where "$stamp.folder"
    { models_print && cat "$stamp.folder"; } >"$stamp"
}

# The folder that one calls from must not be searched for modules: it may have an `app` of its own.
module() {
    PYTHONSAFEPATH=1 exec "$python" -m "$@"
}

check() {
    local failed=0
    "$venv/bin/ruff" format --check . || failed=1
    "$venv/bin/ruff" check --no-cache . || failed=1
    "$venv/bin/mypy" || failed=1
    "$venv/bin/lint-imports" || failed=1
    return "$failed"
}

verb=run
case ${1-} in
    setup | check | fix | test | bench | run | train | help)
        verb=$1
        shift
        ;;
esac

case $verb in
    help) usage ;;
    setup)
        install
        prepare
        ;;
    check)
        install dev
        cd "$root"
        check
        ;;
    fix)
        install dev
        cd "$root"
        "$venv/bin/ruff" check --fix .
        "$venv/bin/ruff" format .
        ;;
    test)
        install dev
        prepare
        cd "$root"
        exec "$python" -m pytest "$@"
        ;;
    bench)
        install
        prepare
        module testbench.latency "$@"
        ;;
    run)
        install
        prepare
        module app.main "$@"
        ;;
    train)
        install train
        prepare
        module training.run "$@"
        ;;
esac
