"""What a run looks after beside its frames: what is too old; without an end also memory that leaks, disks that fill."""

from __future__ import annotations

from pipeline.config import RunConfig
from pipeline.disk_watch import DiskWatch
from pipeline.expiry import Expiry
from pipeline.memory_watch import MemoryWatch
from pipeline.supervise import Supervisor
from pipeline.watched import Happened


class Upkeep:
    def __init__(self, config: RunConfig) -> None:
        self._memory = MemoryWatch(config.supervise.memory_limit_mb) if config.endless else None
        self._disk = DiskWatch(config, config.supervise.disk_reserve_mb) if config.endless else None
        self._expiry = Expiry(config)

    def adopt(self, config: RunConfig) -> None:
        """Go on with other settings, as far as they can change in a run."""
        self._expiry.adopt(config)

    def tick(self, supervisor: Supervisor) -> list[Happened]:
        happened = []
        if self._memory is not None:
            for found in self._memory.look(supervisor.at_work()):
                if found.has_grown:
                    supervisor.renew(found.process)
                happened.append(Happened("restarted" if found.has_grown else "said", found.process, found.why))
        if self._disk is not None:
            happened += [Happened("disk", room.state, str(room)) for room in self._disk.look()]
        if (error := self._expiry.tick()) is not None:
            happened.append(Happened("trouble", "upkeep", str(error), error))
        return happened
