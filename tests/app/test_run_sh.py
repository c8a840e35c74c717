"""run.sh with stand-ins for every Python, so that nothing is installed; dev.ps1 beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="run.sh is for Linux and macOS")

VERBS = ["setup", "check", "fix", "test", "bench", "run", "train", "help"]

# Writes down how it was called, and does what run.sh looks at afterwards.
PYTHON = """#!/bin/bash
case "$*" in
  "-c import sys;"*) exit "${VERSION_EXIT:-0}" ;;
  "-c import ensurepip"*) exit "${ENSUREPIP_EXIT:-0}" ;;
  "-c import cv2") echo "ImportError: libGL.so.1" >&2; exit "${CV2_EXIT:-0}" ;;
  "-m pip --version" | "--version") echo "Python 3.11.0"; exit ;;
esac
echo "${0##*/} $*" >>"$CALLS"
if [[ "$1 $2" == "-m venv" ]]; then
  mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo "version = 3.11.0" >"$3/pyvenv.cfg"
  for tool in ruff mypy lint-imports; do
    printf '#!/bin/bash\\necho "%s $*" >>"$CALLS"; exit "${TOOL_EXIT:-0}"' "$tool" >"$3/bin/$tool"
    chmod +x "$3/bin/$tool"
  done
fi
if [[ "$2" == pip ]]; then echo "a line of pip"; exit "${PIP_EXIT:-0}"; fi
if [[ "$2" == app.prepare ]]; then mkdir -p "$ROOT/models"; echo "$ROOT/models" >"$4"; fi
if [[ "$2" == app.main ]]; then echo "in $PWD safe ${PYTHONSAFEPATH-}" >>"$CALLS"; exit "${MAIN_EXIT:-0}"; fi
"""
BROKEN = "#!/bin/bash\necho 'pyenv: command not found' >&2\nexit 127\n"


class Machine:
    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self.calls = folder / "a repository", folder / "bin", folder / "calls"
        (self.root / "checkpoints/manifests").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "run.sh", self.root)
        (self.root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        (self.root / "checkpoints/manifests/a.json").write_text("{}", encoding="utf-8")
        for name in ("python3.13", "python3.12", "python3.11", "python3.10", "python"):
            self.install(name, BROKEN)
        self.install("python3", PYTHON)
        self.prefix = f"-m pip install --disable-pip-version-check --no-input -e {self.root}"

    def install(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("", encoding="utf-8")
        keep = {"PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.calls), "ROOT": str(self.root)}
        command = [str(self.root / "run.sh"), *words]
        return subprocess.run(
            command, env=keep | environ, cwd=self.bin, capture_output=True, text=True, check=False, timeout=60
        )

    def called(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_call_sets_up_and_runs_the_second_only_runs(machine: Machine) -> None:
    done = machine.run("--frames", "100", "--display", "none")
    assert done.returncode == 0, done.stderr
    venv = machine.root / ".venv"
    ran = ["python -m app.main --frames 100 --display none", f"in {machine.bin} safe 1"]
    assert machine.called() == [
        f"python3 -m venv {venv}",
        f"python {machine.prefix}",
        f"python -m app.prepare --where {venv}/facewire-models.folder",
        *ran,
    ]
    assert "a line of pip" not in done.stderr
    assert len(done.stderr.splitlines()) == 3
    again = machine.run("--frames", "100", "--display", "none")
    assert machine.called() == ran
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ((), "python -m app.main"),
        (("run", "--loop"), "python -m app.main --loop"),
        (("enroll", "Ann Lee", "a.jpg"), "python -m app.main enroll Ann Lee a.jpg"),
        (("test", "-k", "ring"), "python -m pytest -k ring"),
        (("bench", "--frames", "3"), "python -m testbench.latency --frames 3"),
        (("train", "--preset", "tiny"), "python -m training.run --preset tiny"),
        (("setup",), "python -m app.prepare --where {root}/.venv/facewire-models.folder"),
        (("check",), "lint-imports "),
        (("fix",), "ruff format ."),
    ],
)
def test_what_each_verb_runs_last(machine: Machine, words: tuple[str, ...], last: str) -> None:
    assert machine.run(*words).returncode == 0
    calls = [call for call in machine.called() if not call.startswith("in ")]
    assert calls[-1] == last.format(root=machine.root)
    extra = {"test": "[dev]", "check": "[dev]", "fix": "[dev]", "train": "[train]"}.get(words[0] if words else "", "")
    assert f"python {machine.prefix}{extra}" in calls


def test_the_tools_of_the_developer_include_what_running_needs(machine: Machine) -> None:
    machine.run("test")
    machine.run("--loop")
    assert machine.called()[0] == "python -m app.main --loop"


def test_a_change_of_the_project_sets_up_again(machine: Machine) -> None:
    machine.run("setup")
    (machine.root / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    machine.run("setup")
    assert machine.called() == [f"python {machine.prefix}"]


def test_a_change_of_manifests_or_settings_or_lost_models_prepares_again(machine: Machine) -> None:
    machine.run("setup")
    prepared = [f"python -m app.prepare --where {machine.root}/.venv/facewire-models.folder"]
    (machine.root / "checkpoints/manifests/b.json").write_text("{}", encoding="utf-8")
    machine.run("setup")
    assert machine.called() == prepared
    (machine.root / ".env").write_text("DATA_DIR=/x\n", encoding="utf-8")
    machine.run("setup")
    assert machine.called() == prepared
    (machine.root / "models").rmdir()
    machine.run("setup")
    assert machine.called() == prepared
    machine.run("setup")
    assert machine.called() == []
    machine.run("setup", EMBEDDER="facenet")
    assert machine.called() == prepared


def test_the_exit_code_is_the_programs(machine: Machine) -> None:
    assert machine.run("--source", "x", MAIN_EXIT="2").returncode == 2


def test_a_failed_installation_shows_its_output_and_is_tried_again(machine: Machine) -> None:
    failed = machine.run("setup", PIP_EXIT="1")
    assert failed.returncode == 1
    assert "a line of pip" in failed.stderr
    assert "Setting up stopped at: Installing packages" in failed.stderr
    machine.run("setup")
    assert machine.called()[0] == f"python {machine.prefix}"


def test_no_usable_python(machine: Machine) -> None:
    failed = machine.run("setup", VERSION_EXIT="1")
    assert failed.returncode == 1
    assert "No Python from 3.10 to 3.13 was found." in failed.stderr
    assert machine.called() == []


def test_the_newest_python_that_works_is_taken_or_the_one_named(machine: Machine) -> None:
    machine.install("python3.12", PYTHON)
    machine.run("setup")
    assert machine.called()[0].startswith("python3.12 -m venv")
    shutil.rmtree(machine.root / ".venv")
    machine.install("mine", PYTHON)
    machine.run("setup", FACEWIRE_PYTHON="mine")
    assert machine.called()[0].startswith("mine -m venv")
    shutil.rmtree(machine.root / ".venv")
    failed = machine.run("setup", FACEWIRE_PYTHON="python3.13")
    assert failed.returncode == 1
    assert "FACEWIRE_PYTHON cannot be used." in failed.stderr


def test_a_python_without_venv(machine: Machine) -> None:
    failed = machine.run("setup", ENSUREPIP_EXIT="1")
    assert failed.returncode == 1
    assert "apt-get install python3-venv" in failed.stderr


def test_a_machine_without_the_libraries_of_a_desktop(machine: Machine) -> None:
    failed = machine.run("setup", CV2_EXIT="1")
    assert failed.returncode == 1
    assert "saw: ImportError: libGL.so.1" in failed.stderr
    assert "apt-get install libgl1" in failed.stderr


def test_an_environment_that_does_not_work_any_more_is_made_again(machine: Machine) -> None:
    machine.run("setup")
    (machine.root / ".venv/bin/python").write_text(BROKEN, encoding="utf-8")
    (machine.root / "pyproject.toml").write_text("changed", encoding="utf-8")
    machine.run("setup")
    assert machine.called()[0] == f"python3 -m venv {machine.root / '.venv'}"


def test_check_runs_all_tools_even_when_one_complains(machine: Machine) -> None:
    machine.run("setup")
    done = machine.run("check", TOOL_EXIT="1")
    assert done.returncode == 1
    assert [call.split()[0] for call in machine.called()[1:]] == ["ruff", "ruff", "mypy", "lint-imports"]


def test_help_lists_the_verbs_and_sets_nothing_up(machine: Machine) -> None:
    done = machine.run("help")
    assert re.findall(r"^  (\w+) ", done.stdout, re.MULTILINE) == VERBS
    assert machine.called() == []


def test_both_scripts_have_the_same_verbs() -> None:
    shell = (ROOT / "run.sh").read_text(encoding="utf-8")
    power = (ROOT / "dev.ps1").read_text(encoding="utf-8")
    taken = re.search(r"^    (setup \|.*)\)$", shell, re.MULTILINE)
    known = re.search(r"^\$Verbs = @\((.*)\)$", power, re.MULTILINE)
    assert taken is not None
    assert known is not None
    assert taken[1].split(" | ") == VERBS
    assert re.findall(r"'(\w+)'", known[1]) == VERBS
    assert sorted(re.findall(r"^    '(\w+)' \{", power, re.MULTILINE)) == sorted(VERBS)
    assert sorted(re.findall(r"^    (\w+)\)(?: usage ;;)?$", shell, re.MULTILINE)) == sorted(VERBS)
    assert re.findall(r"^  (\w+) +.*$", shell.split("usage()")[1].split("END\n}")[0], re.MULTILINE) == VERBS
    assert re.findall(r"^  (\w+)   .*$", power.split("@'")[1].split("'@")[0], re.MULTILINE) == VERBS
    assert shell.split("  setup ")[1].split("\nEND")[0] == power.split("  setup ")[1].split("\n'@")[0]


def test_the_locked_versions_are_installed_and_nothing_else(machine: Machine) -> None:
    (machine.root / "requirements").mkdir()
    for name in ("run", "dev"):
        (machine.root / f"requirements/{name}.txt").write_text("a==1 --hash=sha256:0\n", encoding="utf-8")
    pip = "python -m pip install --disable-pip-version-check --no-input"

    def installed(verb: str, **environ: str) -> list[str]:
        assert machine.run(verb, **environ).returncode == 0
        return [call for call in machine.called() if " pip install " in call]

    own = f"{pip} --no-deps --no-build-isolation -e {machine.root}"
    locked = {"FACEWIRE_LOCKED": "1"}
    assert installed("setup", **locked) == [f"{pip} --require-hashes -r {machine.root}/requirements/run.txt", own]
    assert installed("setup", **locked) == []
    assert installed("check", **locked) == [f"{pip} --require-hashes -r {machine.root}/requirements/dev.txt", own]
    (machine.root / "requirements/run.txt").write_text("a==2 --hash=sha256:1\n", encoding="utf-8")
    assert len(installed("setup", **locked)) == 2, "another lock sets up again"
    refused = machine.run("train", **locked)
    assert refused.returncode == 1
    assert "no lock file" in refused.stderr
