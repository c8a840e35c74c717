"""`doctor`: one line for each thing the program needs, and what to do where it is missing."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app import camera_list, flags, privacy, sealing, settings
from checkpoints import store
from checkpoints.errors import UserError
from checkpoints.manifest import Manifest
from checkpoints.sealed import id_of
from engines.models import detector_model, embedder_model
from engines.options import EngineOptions
from pipeline import memory
from pipeline.config import GalleryConfig
from pipeline.gallery.calibration import Calibration

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
        "gallery": _gallery,
        "server": _server,
        "secrecy": _secrecy,
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
    return f"{len(camera_list.cameras_of(chosen))} source(s), data in {chosen.data_dir}"


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
    told = []
    for model in models:
        files = store.locate(model.known, model.folder, int8=options.precision == "int8")
        told.append(f"{model.known.name} in {next(iter(files.values())).parent}")
    return ", ".join(told) + ", whole"


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


def _gallery() -> str:
    """Who is known, and from which score a name is given."""
    from app import calibrating
    from pipeline.gallery import calibration
    from pipeline.gallery.opening import gallery_exists, reopen_of

    chosen = settings.read()
    config = flags.gallery_config(chosen)
    if not gallery_exists(config.path):
        return f"nobody is enrolled in {config.path}"
    known = embedder_model(flags.engine_options(chosen)).known
    here = reopen_of(replace(config, server=None))
    try:
        calibrating.check_space(here.space, known)
        people, pictures = len(here.people()), here.count()
        margin = calibrating.margin_of(config, known)
        made = calibration.for_gallery(config.path, here, known, config.false_names, margin=margin) if people else None
    finally:
        here.close()
    return f"{people} people, {pictures} pictures in {config.path}; {_threshold(config, known, made)}; {_kept(config)}"


def _threshold(config: GalleryConfig, known: Manifest, made: Calibration | None) -> str:
    if config.match_threshold is not None:
        return f"threshold {config.match_threshold:g}, set by hand"
    if made is None:
        return f"threshold {known.match_threshold}, from the manifest of {known.name}"
    misses = "" if made.expected_misses is None else f", {made.expected_misses:.1%} of known people missed"
    return f"threshold {made.threshold:.3f} for {made.rate:.2%} false names{misses}"


def _kept(config: GalleryConfig) -> str:
    from pipeline.gallery.unknowns import Unknowns

    if config.unknown_days == 0:
        return "unknown faces are not kept"
    clusters = Unknowns(config.path, seal=config.seal).clusters()
    return f"{len(clusters)} unknown people, kept for {config.unknown_days:g} days"


def _secrecy() -> str:
    """What is encrypted on disk, and who else may read what is not."""
    chosen = settings.read()
    seal = sealing.seal_of(chosen)
    told = f"encrypted under the key {id_of(seal.keys[0]).hex()}" if seal.on else "faces are not encrypted on disk"
    file = chosen.secrecy.key_file
    if file is not None and os.name == "posix" and file.stat().st_mode & 0o077:
        told += f"; others may read {file}: chmod 600"
    readable = privacy.open_to_others(chosen.data_dir, ("models", "engines"))
    if readable:
        told += f"; others may read {len(readable)} files of {chosen.data_dir}: chmod -R go= {chosen.data_dir}"
    return told


def _server() -> str:
    from pipeline.gallery.server import server_space

    config = flags.gallery_config(settings.read())
    if config.server is None:
        return "none: the gallery is on this disk"
    kept = server_space(config.server)
    said = f"{config.server.url} answers; {config.server.collection}: {kept[0] if kept else 'not made yet'}"
    if config.server.api_key and config.server.url.startswith("http://"):
        said += "; the key travels unencrypted, use https"
    return said


def _cameras() -> str:
    if sys.platform != "linux":
        return "are tried when they are used"
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    return ", ".join(found) or "none at this machine (files, rtsp:// and the demo work)"
