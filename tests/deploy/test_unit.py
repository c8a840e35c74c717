"""The service of systemd, checked by systemd itself; it is not started here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app import settings
from app.settings import ROOT

UNIT = ROOT / "deploy/facewire.service"
ON_A_JETSON = ROOT / "deploy/jetson.conf"
EXPOSURE = 2.5  # of 10, by `systemd-analyze security`; an unhardened service has 9.6
NOT_OURS = {"HOME", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def lines(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """The program lies elsewhere in a test; a line that systemd does not know would be told of as well."""
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/facewire/.venv/bin/python", "/bin/true"), "utf-8")
    done = analyze("verify", "--man=no", str(here))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (tmp_path / f"{UNIT.name}.d").mkdir()
    shutil.copy(ON_A_JETSON, tmp_path / f"{UNIT.name}.d")
    done = analyze("verify", "--man=no", str(here))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_it_can_do_little_to_the_machine() -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"exposure level for facewire.service: ([\d.]+)", done.stdout)
    if found is None:
        pytest.skip(f"this systemd cannot tell: {done.stderr.strip()}")
    assert float(found[1]) <= EXPOSURE


def test_on_a_jetson_it_reaches_the_gpu_and_the_daemon_of_its_cameras() -> None:
    """A list of devices that is not empty would go on to forbid the others."""
    said = re.findall(r"^(\w+)=(.*)$", ON_A_JETSON.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(said) == {
        "DevicePolicy": "auto",
        "DeviceAllow": "",
        "PrivateTmp": "false",
        "ReadWritePaths": "/tmp",
    }


def test_it_is_tried_again_for_ever() -> None:
    assert lines("Restart") == ["on-failure"]
    assert lines("StartLimitIntervalSec") == ["0"]


def test_the_kernel_keeps_core_files_from_collectors() -> None:
    """app/privacy.py sets the same, but cannot go beyond a hard limit of 0, at which the kernel still calls them."""
    assert lines("LimitCORE") == ["1"]


def test_it_writes_in_one_folder_and_waits_for_cameras() -> None:
    words = " ".join(lines("Environment")).split()
    given = dict(word.split("=", 1) for word in words)
    known = {name for _, _, about in settings.catalogue() for name in about.names}
    assert set(given) - NOT_OURS <= known
    chosen = settings.load({name: text for name, text in given.items() if name in known})
    assert str(chosen.data_dir) == f"/var/lib/{lines('StateDirectory')[0]}"
    assert given["WAIT_FOR_CAMERAS"] == "true"


def test_how_it_ends_is_what_the_program_means_by_it() -> None:
    assert lines("RestartPreventExitStatus") == ["2"]  # something to put right
    # systemd looks at that of the main process only: anything before it that fails would be tried again and again.
    assert all(command.startswith("-") for command in lines("ExecStartPre"))
    assert lines("KillMode") == ["mixed"]  # the parent stops its processes in order
    assert float(lines("TimeoutStopSec")[0]) > 3 * settings.load({}).supervise.stop_timeout_s
    assert lines("OOMPolicy") == ["continue"]  # a stage that is killed is started again
    assert lines("ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_it_is_watched_for_longer_than_a_stage_may_hang() -> None:
    assert (lines("Type"), lines("NotifyAccess")) == (["notify"], ["main"])
    chosen = settings.load({})
    assert float(lines("WatchdogSec")[0]) > 2 * chosen.supervise.hang_timeout_s


def test_a_stage_may_take_as_long_to_start_as_it_is_given() -> None:
    minutes = lines("TimeoutStartSec")[0].removesuffix("min")
    assert int(minutes) * 60 > settings.load({}).supervise.start_timeout_s
