"""The flags of the commands, and what a run is to do when they and the settings are put together."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from app import camera_list, cameras, outgoing, sealing, serving, settings, values
from app.about import About
from app.sections import SOURCE
from app.service.notify import ServiceManager
from app.settings import Settings
from checkpoints.errors import SettingsError
from engines import fitting
from engines.options import EngineOptions
from pipeline.config import (
    CameraConfig,
    CaptureConfig,
    ClipsConfig,
    Display,
    GalleryConfig,
    OutputConfig,
    RecordingsConfig,
    RunConfig,
    ServerConfig,
    SuperviseConfig,
)
from pipeline.wiring import SideRow

MODEL_FLAGS = (
    "DETECTOR_ENGINE",
    "EMBEDDING_ENGINE",
    "PRECISION",
    "BACKEND",
    "THREADS",
    "MIN_FACE",
    "GALLERY_DIR",
    "QDRANT_URL",
)
GALLERY_FLAGS = ("GALLERY_DIR", "QDRANT_URL")
_PACE = ("FPS_TARGET", "LOSSLESS")
_EXAMPLES = """examples:
  python -m app.main                                          the demo
  python -m app.main --source 0                               the first camera
  python -m app.main --source rtsp://host/stream --display none --events events.jsonl
  python -m app.main --source a.mp4 --record out.mp4 --report report.json
  python -m app.main --source a.mp4 --realtime 25 --source b.mp4   two files, played as cameras

Every flag is also a setting of the environment or of the file .env (the name in brackets); the flag wins.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """config for every process, the processes beside the way, what the parent writes at the end, and whom it tells.

    stale_s  when pictures that do not come through are a fault
    """

    config: RunConfig
    report: Path | None
    trace: Path | None
    sides: tuple[SideRow, ...] = ()
    manager: ServiceManager = ServiceManager()
    stale_s: float = 10.0

    @property
    def is_watched(self) -> bool:
        """Somebody looks at the pictures."""
        return self.config.output.display == "window" or any(side.name == serving.NAME for side in self.sides)


class FlagParser(argparse.ArgumentParser):
    """Raises SettingsError for a command line that cannot be understood."""

    def error(self, message: str) -> NoReturn:
        message = " ".join(cameras.shown(word) for word in message.split(" "))
        stray = message.partition("unrecognized arguments: ")[2].split()
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        hints = [values.did_you_mean(word.partition("=")[0], known) for word in stray if word.startswith("-")]
        fix = f"see {self.prog} --help"
        if stray and not stray[0].startswith("-") and "--source" in known:
            fix = f"name a video with --source {stray[0]}, or {fix}"
        raise SettingsError("The command cannot be understood.", saw=message + "".join(hints[:1]), fix=fix)


def parser() -> argparse.ArgumentParser:
    """The flags of the run command. `parse_args` raises SettingsError, so call it where UserErrors are caught."""
    made = FlagParser(
        prog="python -m app.main",
        description="Recognise faces in live video.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_flags(made, [about.names[0] for _, _, about in settings.catalogue() if about.flag])
    return made


def add_flags(to: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """The flags of these settings, in the order of the catalogue."""
    wanted = set(names)
    # An empty group breaks the help of some Pythons.
    pace = to.add_mutually_exclusive_group() if wanted.intersection(_PACE) else to
    for _, item, about in settings.catalogue():
        if about.flag and about.names[0] in wanted:
            _add(pace if about.names[0] in _PACE else to, about, settings.written_default(item))


def given(args: argparse.Namespace) -> dict[str, str]:
    """The flags that stand on the command line, as texts of settings."""
    texts: dict[str, str] = {}
    for _, _, about in settings.catalogue():
        value = getattr(args, about.names[0], None)
        if about.names[0] == SOURCE:
            for number, source in enumerate(value or (), 1):
                texts[SOURCE if number == 1 else f"{SOURCE}_{number}"] = source
        elif value is not None:
            texts[about.names[0]] = value
    return texts


def read(args: argparse.Namespace) -> Plan:
    """The run that this command line, this environment and this .env ask for."""
    return run_config(settings.read(given(args)))


def run_config(chosen: Settings, watched: tuple[CameraConfig, ...] = ()) -> Plan:
    """watched  instead of the cameras of the settings"""
    output, supervise = chosen.output, chosen.supervise
    display = _display(chosen)
    console = serving.sides(chosen)
    outlets = outgoing.outlets_config(chosen, console=bool(console))
    recordings = _recordings(chosen)
    watched = watched or camera_list.cameras_of(chosen)
    config = RunConfig(
        cameras=watched,
        placement=chosen.models.placement,
        capture=_capture(chosen, watched),
        engines=_engines_for(watched, engine_options(chosen)),
        gallery=gallery_config(chosen),
        output=OutputConfig(
            display=display,
            record=None if recordings else output.record,
            recordings=recordings,
            clips=None if output.clips is None else ClipsConfig(output.clips, output.clip_seconds, output.clip_days),
            events=outgoing.log_path(chosen, outlets),
            event_every_s=output.event_every_s,
            snapshots=chosen.data_dir / "snapshots",
            event_part_bytes=chosen.outlets.part_mb * 1_000_000,
            event_days=chosen.outlets.days,
        ),
        outlets=outlets,
        supervise=SuperviseConfig(
            hang_timeout_s=supervise.hang_timeout_s,
            start_timeout_s=supervise.start_timeout_s,
            max_restarts=supervise.max_restarts,
            restart_window_s=supervise.restart_window_s,
            stop_timeout_s=supervise.stop_timeout_s,
            rest_s=chosen.upkeep.rest_s,
            memory_limit_mb=chosen.upkeep.memory_limit_mb,
            disk_reserve_mb=chosen.upkeep.disk_reserve_mb,
            camera_timeout_s=chosen.cameras.timeout_s,
            wait_for_cameras=chosen.cameras.wait,
        ),
    )
    return Plan(
        config,
        report=output.report,
        trace=output.trace,
        sides=(*outgoing.sides(config), *console),
        manager=chosen.manager,
        stale_s=chosen.console.stale_s,
    )


def _recordings(chosen: Settings) -> RecordingsConfig | None:
    """A folder is what is one, or is called like one."""
    output = chosen.output
    if output.record is None or (output.record.suffix and not output.record.is_dir()):
        return None
    return RecordingsConfig(output.record, output.record_minutes, output.record_days)


def gallery_config(chosen: Settings) -> GalleryConfig:
    gallery = chosen.gallery
    return GalleryConfig(
        path=chosen.gallery_dir,
        server=_server(chosen),
        matcher=gallery.matcher,
        match_threshold=gallery.match_threshold,
        match_margin=gallery.match_margin,
        false_names=gallery.false_names,
        unknown_days=gallery.unknown_days,
        seal=sealing.seal_of(chosen),
    )


def _server(chosen: Settings) -> ServerConfig | None:
    gallery = chosen.gallery
    urls = gallery.qdrant_urls
    if not urls and gallery.qdrant_host:
        urls = (f"http://{gallery.qdrant_host}:{gallery.qdrant_port}",)
    if not urls:
        return None
    return ServerConfig(
        url=urls[0],
        further=urls[1:],
        api_key=gallery.qdrant_api_key,
        grpc_port=gallery.qdrant_grpc_port,
        timeout_s=gallery.qdrant_timeout_s,
        collection=gallery.qdrant_collection,
        reads=gallery.qdrant_reads,
    )


def engine_options(chosen: Settings) -> EngineOptions:
    models = chosen.models
    precision = models.precision
    if precision is None and models.use_fp16 is not None:
        precision = "fp16" if models.use_fp16 else "fp32"
    return EngineOptions(
        detector=models.detector,
        embedder=models.embedder,
        backend=models.backend,
        precision=precision or fitting.precision(models.backend),
        threads=models.threads,
        min_face_px=models.min_face_px,
        thresholds=models.thresholds,
        pyramid_factor=models.pyramid_factor,
        detect_every=models.detect_every,
        models=chosen.data_dir / "models",
        cache=chosen.data_dir / "engines",
    )


def _engines_for(watched: tuple[CameraConfig, ...], options: EngineOptions) -> EngineOptions:
    """They look for what is small enough for any camera; each camera's own size is asked of what they find."""
    least_px = min(camera.min_face_px or options.min_face_px for camera in watched)
    return replace(options, min_face_px=least_px)


def _capture(chosen: Settings, watched: tuple[CameraConfig, ...]) -> CaptureConfig:
    """Files are worked on frame by frame unless a rate is set; one live source makes all sources live."""
    source = chosen.source
    live = [one for one in watched if one.live]
    if live and source.lossless:
        raise SettingsError(
            "A live source cannot be lossless.",
            saw="\n".join(f"--lossless with {camera.shown}" for camera in live),
            fix="leave out --lossless (LOSSLESS), or watch files only",
        )
    lossless = source.lossless if source.lossless is not None else source.fps_target is None and not live
    return CaptureConfig(
        size_wh=source.size_wh,
        lossless=lossless,
        realtime_fps=source.fps_target,
        loop=source.loop,
        frames=source.frames,
        open_timeout_s=source.open_timeout_s,
    )


def _display(chosen: Settings) -> Display:
    mode = chosen.output.display
    if mode == "window" and not chosen.screen:
        raise SettingsError(
            "There is no screen to open a window on.",
            saw="--display window, but neither DISPLAY nor WAYLAND_DISPLAY is set",
            fix="use --display none, with --record OUT.mp4 to see the pictures later",
        )
    return "window" if mode == "window" or (mode == "auto" and chosen.screen) else "none"


def _add(to: argparse._ActionsContainer, about: About, default: str) -> None:
    name = about.names[0]
    note = f"default {default}; {name}" if about.metavar and default else name
    text = f"{about.help} ({note})".replace("%", "%%")
    if about.flag is None:
        raise ValueError(f"{name} has no flag")
    if name == SOURCE:
        to.add_argument(about.flag, dest=name, metavar=about.metavar, action="append", help=text + "; may be repeated")
    elif about.metavar is None:
        to.add_argument(about.flag, dest=name, action="store_const", const="true", help=text)
    else:
        to.add_argument(about.flag, dest=name, metavar=about.metavar, help=text)
