#!/usr/bin/env bash
# Sets a machine up for training: scripts/setup_environment.sh [--cpu]. setup_environment.bat does the same on Windows.
#
# It only decides which PyTorch fits the machine; everything else is run.sh's work, which finds it there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

kind=
case ${1-} in
    "") command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1 && kind=gpu || kind=cpu ;;
    --cpu) kind=cpu ;;
    *) fail "This flag is not known." "  saw: $1" "  fix: scripts/setup_environment.sh [--cpu]" ;;
esac

"$root/run.sh" setup

# The version stands in pyproject.toml alone.
torch=$(sed -n 's/^train = \["\(torch==[0-9.]*\)".*/\1/p' "$root/pyproject.toml")
[[ -n $torch ]] || fail "pyproject.toml does not say which PyTorch is wanted."
if [[ $kind == cpu ]]; then
    printf 'No NVIDIA GPU: PyTorch for processors, which is a tenth of the size.\n'
    # Where that index is not to be reached, run.sh takes the larger one, which runs on processors, too.
    "$python" -m pip install --disable-pip-version-check --no-input --index-url https://download.pytorch.org/whl/cpu \
        "$torch" || printf 'Its index cannot be reached; the usual one follows.\n'
fi
"$root/run.sh" train --help >/dev/null

"$python" - <<'END'
import os
import shutil

import torch

gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
print(f"PyTorch {torch.__version__}; GPUs: {', '.join(gpus) or 'none'}; {os.cpu_count()} processor cores")
print(f"{shutil.disk_usage('.').free // 10**9} GB free in this folder")
END
printf 'Try it: ./run.sh train --preset tiny    (a minute; docs/training.md has the rest)\n'
