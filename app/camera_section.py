"""The settings of live cameras."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from app import cameras, values
from app.about import about
from pipeline.config import SuperviseConfig, Transport

NAME = "VIDEO_NAME"
CAMERAS_FILE = "CAMERAS_FILE"

_SUPERVISE = SuperviseConfig()


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Cameras: their names, their logins, and what happens when they go away"""

    file: Path | None = field(
        default=None,
        metadata=about(
            CAMERAS_FILE,
            values.path,
            "Read the cameras from this file instead of VIDEO_SOURCE: name, source, zone, size, fps and more of each "
            "(see docs/cameras.md)",
            "--cameras FILE.toml",
        ),
    )
    names: tuple[str, ...] = field(
        default=(),
        metadata=about(
            NAME,
            cameras.name,
            "What VIDEO_SOURCE is called in events and on screens; VIDEO_NAME_2 names VIDEO_SOURCE_2, and so on. "
            "If empty, a part of the source",
        ),
    )
    user: str | None = field(
        default=None,
        metadata=about(
            "CAMERA_USER",
            values.printable,
            "What stands for {user} in rtsp://{user}:{password}@host/path; CAMERA_USER_NAME for the camera NAME alone",
        ),
    )
    password: str | None = field(
        default=None,
        repr=False,
        metadata=about(
            "CAMERA_PASSWORD",
            values.printable,
            "What stands for {password}, with all its signs as they are; CAMERA_PASSWORD_NAME for the camera NAME "
            "alone",
            secret=True,
        ),
    )
    transport: Transport = field(
        default="tcp",
        metadata=about(
            "CAMERA_TRANSPORT",
            values.one_of(*get_args(Transport)),
            "tcp or udp, for rtsp://. udp is for networks without loss; some cameras know only one of them",
        ),
    )
    pixel_format: str | None = field(
        default=None,
        metadata=about(
            "CAMERA_FORMAT",
            cameras.pixel_format,
            "Four letters, asked of cameras at this machine: MJPG lets most USB cameras give large pictures fast",
        ),
    )
    timeout_s: float = field(
        default=_SUPERVISE.camera_timeout_s,
        metadata=about(
            "CAMERA_TIMEOUT",
            values.number(0.5, 3600, "seconds"),
            "Seconds without a picture after which a live camera is begun anew",
        ),
    )
    wait: bool = field(
        default=_SUPERVISE.wait_for_cameras,
        metadata=about(
            "WAIT_FOR_CAMERAS",
            values.yes_or_no,
            "Wait for cameras that cannot be reached at the start; if false, the run ends when none can be",
            "--wait-for-cameras",
        ),
    )
