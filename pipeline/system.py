"""From the page of wiring to memory and processes: makes the rings, hands each process its own, and cleans up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline import slot, wiring
from pipeline.bell import Bell
from pipeline.board import Board
from pipeline.child import ChildPlan, SidePlan
from pipeline.config import RunConfig
from pipeline.fallback import without_card
from pipeline.messages import Shown
from pipeline.ring import Ring
from pipeline.ring_header import RingSpec
from pipeline.supervise import Supervisor
from pipeline.upkeep import Upkeep
from pipeline.watched import Happened
from pipeline.wiring import PARENT, STAGES, ProcessRow, SideRow, StageRow


class System:
    """All processes of one run. Use as a context: nothing is left behind, whatever happens."""

    def __init__(
        self,
        config: RunConfig,
        crop_px: int,
        stages: tuple[StageRow, ...] = STAGES,
        sides: tuple[SideRow, ...] = (),
    ) -> None:
        wiring.check(stages=stages)
        self.config = config
        self.rows = wiring.processes(config.placement, tuple(camera.name for camera in config.cameras), stages)
        self._board = Board()
        self.supervisor = Supervisor(config, self._board)
        self._bells = {name: Bell() for name in (*(r.name for r in self.rows), *(s.name for s in sides))}
        self._bells[PARENT] = self.supervisor.parent_bell
        self._upkeep = Upkeep(config)
        self.rings = self._make_rings(crop_px)
        for place, row in enumerate(self.rows):
            self.supervisor.add(row, self._bells[row.name], self._plan(place, row))
        for place, side in enumerate(sides, len(self.rows)):
            self.supervisor.add(side, self._bells[side.name], self._side_plan(place, side))
        self._shown = self.rings["shown"].reader(PARENT)
        self._headers = {name: ring.header() for name, ring in self.rings.items()}

    def __enter__(self) -> System:
        self.supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.close()
        self._shown.close()
        for ring in self.rings.values():
            ring.close()
        self._board.close()

    def poll(self, timeout_s: float) -> tuple[list[Happened], list[Shown]]:
        """What happened, and the frames that reached their end since the last call."""
        shown = self._drain()
        happened = self.supervisor.poll(0.0 if shown else timeout_s) + self._upkeep.tick(self.supervisor)
        for process in self.supervisor.gone():
            self._retire(process)
        happened += [said for what in happened if what.kind == "rests" and (said := self._leave_card(what.process))]
        return happened, shown + self._drain()

    def adopt(self, config: RunConfig, renew: Iterable[str]) -> None:
        """Go on with other settings: these processes are started anew with them, where they were. What the rings were
        made for (cameras' names, sizes of pictures, models) must be as before.
        """
        self.config = config
        self._upkeep.adopt(config)
        for process in renew:
            self.supervisor.renew(process)

    def process_of(self, stage: str) -> str:
        """Also of a side, or a camera's capture: those are processes of their own."""
        found = [row.name for row in self.rows if any(stage == each.name for each in row.stages)]
        return stage if len(found) != 1 else found[0]

    def captured(self) -> dict[str, int]:
        """Camera → frames that it gave."""
        return {c.name: self._headers[f"frames:{c.name}"].head for c in self.config.cameras}

    def dropped(self) -> dict[str, int]:
        """Stage → frames that it never saw, or that were gone when it looked."""
        counts = {stage.name: 0 for row in self.rows for stage in row.stages if stage.reads}
        for name, header in self._headers.items():
            for reader in self.rings[name].spec.readers:
                if reader != PARENT:
                    counts[reader] += header.dropped(reader)
        return counts

    def _drain(self) -> list[Shown]:
        shown: list[Shown] = []
        while (lease := self._shown.next()) is not None:
            record = slot.read_record(lease.view)
            assert isinstance(record, Shown)
            shown.append(record)
            lease.release()
            self._shown.done(lease.position)
        return shown

    def _leave_card(self, process: str) -> Happened | None:
        stages = [stage.name for row in self.rows if row.name == process for stage in row.stages]
        config = without_card(self.config, stages)
        if config is None:
            return None
        self.config = config
        return Happened("said", process, "will go on without the graphics card (BACKEND=auto)")

    def _retire(self, process: str) -> None:
        """Those behind it end when they have read what it gave, and those before it wait for it no more."""
        row = next(row for row in self.rows if row.name == process)
        for header in self._headers.values():
            for stage in row.stages:
                if stage.name in header.spec.readers:
                    header.retire(stage.name)
        written = self._ring_written(row)
        if not self._headers[written].closed:
            self._headers[written].close()
            self.rings[written].reader_bell.ring()

    @staticmethod
    def _ring_written(row: ProcessRow) -> str:
        return row.writes if row.camera is None else f"{row.writes}:{row.camera}"

    def _ring_names(self, topic: str) -> list[str]:
        per_camera = next(row.per_camera for row in wiring.TOPICS if row.name == topic)
        return [f"{topic}:{camera.name}" for camera in self.config.cameras] if per_camera else [topic]

    def _make_rings(self, crop_px: int) -> dict[str, Ring]:
        rings: dict[str, Ring] = {}
        for topic in wiring.TOPICS:
            readers = wiring.readers(topic.name, self.rows)
            if not readers:
                continue  # its writer and its reader share a process
            live = topic.per_camera and not self.config.capture.lossless
            for name in self._ring_names(topic.name):
                size = wiring.slot_bytes(topic.name, self.config, crop_px)
                spec = RingSpec(name, topic.slots, size, readers, lossless=not live)
                reading = self._bells[self._process_of(readers[0])]
                writing = self._bells[self._writer_of(topic.name, name)]
                # A live source never waits; it is the reader that waits until those behind it have caught up.
                rings[name] = Ring(spec, reader_bell=reading, space_bell=reading if live else writing)
        return rings

    def _process_of(self, reader: str) -> str:
        return next((row.name for row in self.rows for stage in row.stages if stage.name == reader), PARENT)

    def _writer_of(self, topic: str, ring: str) -> str:
        return next(
            row.name
            for row in self.rows
            if row.writes == topic and (row.camera is None or ring == f"{topic}:{row.camera}")
        )

    def _plan(self, place: int, row: ProcessRow) -> Callable[[int], ChildPlan]:
        written = self._ring_written(row)
        reads = {name: self.rings[name] for name in (self._ring_names(row.reads) if row.reads else ())}
        looked_at = {stage.looks_at for stage in row.stages if stage.looks_at}
        looks = {
            camera.name: self.rings[f"{topic}:{camera.name}"] for topic in looked_at for camera in self.config.cameras
        }

        def plan(generation: int) -> ChildPlan:
            bell = self._bells[row.name]
            return ChildPlan(row, self.config, self._board, place, bell, reads, looks, self.rings[written], generation)

        return plan

    def _side_plan(self, place: int, row: SideRow) -> Callable[[int], SidePlan]:
        names = tuple(each.name for each in self.rows)

        def plan(generation: int) -> SidePlan:
            bell = self._bells[row.name]
            return SidePlan(row, self.config, self._board, place, bell, self.rings, names, generation)

        return plan
