"""The settings of the console: where it listens, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from app import values
from app.about import about


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The console in the browser (--display web)"""

    host: str = field(
        default="127.0.0.1",
        metadata=about(
            "CONSOLE_HOST",
            values.host,
            "Address that the console listens at; 127.0.0.1: this machine only. Others demand a password or a token",
            "--host ADDRESS",
        ),
    )
    port: int = field(
        default=8080,
        metadata=about(
            "CONSOLE_PORT", values.whole(0, 65535), "Port that the console listens at; 0: any free one", "--port N"
        ),
    )
    password: str | None = field(
        default=None,
        metadata=about(
            "CONSOLE_PASSWORD",
            values.password,
            "Password of those who may do everything; it is shown nowhere",
            secret=True,
        ),
    )
    viewer_password: str | None = field(
        default=None,
        metadata=about("CONSOLE_VIEWER_PASSWORD", values.password, "Password of those who may look only", secret=True),
    )
    token: str | None = field(
        default=None,
        metadata=about(
            "CONSOLE_TOKEN",
            values.token,
            "Token of programs that may do everything: they send Authorization: Bearer TOKEN",
            secret=True,
        ),
    )
    viewer_token: str | None = field(
        default=None,
        metadata=about(
            "CONSOLE_VIEWER_TOKEN",
            values.token,
            "Token of programs that may look only, such as Prometheus",
            secret=True,
        ),
    )
    fps: float = field(
        default=12.0,
        metadata=about(
            "CONSOLE_FPS",
            values.number(0.2, 60, "pictures a second"),
            "Live pictures a second of each camera, at most",
        ),
    )
    stale_s: float = field(
        default=5.0,
        metadata=about(
            "STALE_AFTER",
            values.number(0.5, 3600, "seconds"),
            "Seconds without a new picture after which a camera is stale and /healthz fails",
        ),
    )
