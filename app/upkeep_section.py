"""Settings of what a run without an end looks after."""

from __future__ import annotations

from dataclasses import dataclass, field

from app import values
from app.about import about
from pipeline.config import SuperviseConfig

_USUAL = SuperviseConfig()


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """What a run with live cameras looks after"""

    memory_limit_mb: float = field(
        default=_USUAL.memory_limit_mb,
        metadata=about(
            "MEMORY_LIMIT_MB",
            values.number(0, 1e9, "megabytes"),
            "A process with more memory of its own than this is started anew; "
            "0: a quarter of the machine's memory, at least 1000",
        ),
    )
    disk_reserve_mb: float = field(
        default=_USUAL.disk_reserve_mb,
        metadata=about(
            "DISK_RESERVE_MB",
            values.number(0, 1e9, "megabytes"),
            "Old clips are erased to keep so much free on the disk, or 5 % of a small disk",
        ),
    )
    rest_s: float = field(
        default=_USUAL.rest_s,
        metadata=about(
            "REST",
            values.number(1, 3600, "seconds"),
            "Seconds that a stage rests when it has died more than MAX_RESTARTS times; doubled each time, to 300",
        ),
    )
