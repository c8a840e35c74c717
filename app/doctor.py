"""`doctor`: one line for each thing the program needs, and what to do where it is missing."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from app import flags, settings
from checkpoints import store
from checkpoints.errors import UserError
from engines.models import detector_model, embedder_model
from engines.options import EngineOptions
from pipeline import memory

LEAST_MEMORY_MB = 1000


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser("doctor", help="what works on this machine", allow_abbrev=False)
    doctor.set_defaults(command=command)


def command(_args: argparse.Namespace) -> int:
    """Exit code 0 when all that is needed works."""
    checks: dict[str, Callable[[], str]] = {
        "settings": _settings,
        "python": _python,
        "frame bus": _frame_bus,
        "memory": _memory,
        "models": _models,
        "engines": _engines,
        "cameras": _cameras,
    }
    failed = 0
    for name, check in checks.items():
        try:
            verdict, text = "pass", check()
        except UserError as error:
            failed += 1
            verdict, text = "FAIL", str(error).replace("\n", " ")
        print(f"{verdict}  {name:<10} {text}")
    return 1 if failed else 0


def _options() -> EngineOptions:
    return flags.engine_options(settings.read())


def _settings() -> str:
    chosen = settings.read()
    return f"{len(chosen.source.sources)} source(s), data in {chosen.data_dir}"


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _frame_bus() -> str:
    if memory.anonymous():
        return "anonymous memory, open-file-description locks, eventfd"
    return "named memory, file locks, pipes: slower to wake, and a killed parent can leave memory behind"


def _memory() -> str:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return "not told by this system"
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    free_mb = int(lines["MemAvailable"].split()[0]) // 1024
    if free_mb < LEAST_MEMORY_MB:
        raise UserError("There is little memory.", saw=f"{free_mb} MB free", fix="end other programs")
    return f"{free_mb} MB free"


def _models() -> str:
    options = _options()
    models = (detector_model(options), embedder_model(options))
    for model in models:
        store.locate(model.known, model.folder, int8=options.precision == "int8")
    return ", ".join(f"{model.known.name} in {model.folder}" for model in models) + ", whole"


def _engines() -> str:
    from engines import backends
    from engines.load import load_detector, load_embedder

    options = _options()
    load_detector(options, size_wh=(640, 360)).close()
    load_embedder(options, batch=1).close()
    runtime = backends.choose(options.backend)
    reasons = [(name, backends.why_not(name)) for name in backends.BY_PREFERENCE]
    others = "; ".join(f"not {name}: {reason}" for name, reason in reasons if reason is not None)
    return f"{runtime}, {options.precision}, {options.threads} thread(s){f' ({others})' if others else ''}"


def _cameras() -> str:
    if sys.platform != "linux":
        return "are tried when they are used"
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    return ", ".join(found) or "none at this machine (files, rtsp:// and the demo work)"
