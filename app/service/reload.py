"""Which settings can change in a running program, and which processes are started anew for them.

The rest was built into memory at the start (cameras' number and names, sizes, models) and needs a new start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace

from pipeline.config import CameraConfig, RunConfig

# Section → field → the stage or side that has to know.
LIVE: dict[str, dict[str, str]] = {
    "gallery": dict.fromkeys(("matcher", "match_threshold", "match_margin", "false_names", "unknown_days"), "lookup"),
    "output": dict.fromkeys(("event_every_s", "event_part_bytes", "event_days", "clips", "recordings"), "draw"),
    "outlets": dict.fromkeys(("days", "mqtt", "webhook"), "outlets"),
}
# Of a camera's own settings, those that only its capture reads, and those that the detector reads.
_CAPTURED = ("source", "shown", "transport", "fps", "masks", "pixel_format")
_DETECTED = ("min_face_px", "zone")


@dataclass(frozen=True, slots=True)
class Reload:
    """config     what the run goes on with
    stages     that have to know, and `capture:NAME` for a camera's
    changed    settings that count from now on, as section.field
    needs_start  settings that have changed, but count only after a new start
    """

    config: RunConfig
    stages: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    needs_start: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """stage  that has to know; None: it cannot be changed in a running program"""

    name: str
    stage: str | None


def reload(old: RunConfig, new: RunConfig) -> Reload:
    cameras, changes = _cameras(old, new)
    config = replace(old, cameras=cameras)
    for section, field in _differences(old, new):
        stage = LIVE.get(section, {}).get(field)
        changes.append(_Change(f"{section}.{field}" if field else section, stage))
        if stage is not None:
            part = replace(getattr(config, section), **{field: getattr(getattr(new, section), field)})
            config = replace(config, **{section: part})
    return Reload(
        config,
        stages=tuple(dict.fromkeys(change.stage for change in changes if change.stage is not None)),
        changed=tuple(change.name for change in changes if change.stage is not None),
        needs_start=tuple(change.name for change in changes if change.stage is None),
    )


def _cameras(old: RunConfig, new: RunConfig) -> tuple[tuple[CameraConfig, ...], list[_Change]]:
    if [camera.name for camera in old.cameras] != [camera.name for camera in new.cameras]:
        return old.cameras, [_Change("cameras", None)]
    cameras, changes = [], []
    for before, after in zip(old.cameras, new.cameras, strict=True):
        camera = before
        for field in (each.name for each in fields(CameraConfig)):
            if getattr(before, field) == getattr(after, field):
                continue
            stage = _stage_of(before.name, field) if before.live == after.live else None
            changes.append(_Change(f"cameras.{before.name}.{field}", stage))
            if stage is not None:
                camera = replace(camera, **{field: getattr(after, field)})
        cameras.append(camera)
    return tuple(cameras), changes


def _stage_of(camera: str, field: str) -> str | None:
    if field in _CAPTURED:
        return f"capture:{camera}"
    return "detect" if field in _DETECTED else None


def _differences(old: RunConfig, new: RunConfig) -> Iterator[tuple[str, str]]:
    """(section, field) of all but the cameras; the field is empty where there is a whole section more or less."""
    for section in (each.name for each in fields(RunConfig)):
        before, after = getattr(old, section), getattr(new, section)
        if section == "cameras" or before == after:
            continue
        if type(before) is not type(after) or not is_dataclass(before):
            yield section, ""
            continue
        for field in (each.name for each in fields(before)):
            if getattr(before, field) != getattr(after, field):
                yield section, field
