"""The way of a frame through the program, on one page: which topics there are, who writes them, who reads them.

capture ─frames▶ detect ─detections▶ align ─aligned▶ recognise ─tracks▶ lookup ─identities▶ draw ─shown▶ parent
            └─────── looked at by ────┴──────────────────────────────────┴───────────────────┘
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.config import Placement, RunConfig
from pipeline.slot import frame_bytes

PARENT = "parent"
MAX_FACES = 64
LARGEST_FRAME_WH = (1280, 720)


@dataclass(frozen=True, slots=True)
class TopicRow:
    """per_camera  a ring for each camera instead of one for all."""

    name: str
    slots: int
    per_camera: bool = False


@dataclass(frozen=True, slots=True)
class StageRow:
    """reads     the topic whose records it works through, in order
    looks_at  the topic it sees frames of, by reference
    """

    name: str
    module: str
    writes: str
    reads: str | None = None
    looks_at: str | None = None
    per_camera: bool = False


TOPICS = (
    TopicRow("frames", slots=8, per_camera=True),
    TopicRow("detections", slots=8),
    TopicRow("aligned", slots=8),
    TopicRow("tracks", slots=8),
    TopicRow("identities", slots=8),
    TopicRow("shown", slots=128),
)

STAGES = (
    StageRow("capture", "pipeline.stages.capture", writes="frames", per_camera=True),
    StageRow("detect", "pipeline.stages.detect", reads="frames", writes="detections"),
    StageRow("align", "pipeline.stages.align", reads="detections", looks_at="frames", writes="aligned"),
    StageRow("recognise", "pipeline.stages.recognise", reads="aligned", writes="tracks"),
    StageRow("lookup", "pipeline.stages.lookup", reads="tracks", looks_at="frames", writes="identities"),
    StageRow("draw", "pipeline.stages.draw", reads="identities", looks_at="frames", writes="shown"),
)

FUSED = ("detect", "align", "recognise")


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """Stages that share a process, one after the other on each record. camera: for a process of one camera."""

    name: str
    stages: tuple[StageRow, ...]
    camera: str | None = None

    @property
    def reads(self) -> str | None:
        return self.stages[0].reads

    @property
    def writes(self) -> str:
        return self.stages[-1].writes

    @property
    def looks_at(self) -> tuple[str, ...]:
        """As reader names: the stages that see frames by reference."""
        return tuple(stage.name for stage in self.stages if stage.looks_at)


@dataclass(frozen=True, slots=True)
class SideRow:
    """A process beside the way, such as the console: it may see all rings, nobody waits for it, and a run goes on
    without it.

    module   has `open_side(context) -> Side` (`pipeline.side`)
    options  for it alone, handed over as they are
    """

    name: str
    module: str
    options: object = None


WINDOW = SideRow("window", "pipeline.window")


def processes(
    placement: Placement, cameras: tuple[str, ...], stages: tuple[StageRow, ...] = STAGES
) -> list[ProcessRow]:
    """Who runs where, in the order in which a frame meets them."""
    rows: list[ProcessRow] = []
    for stage in stages:
        if stage.per_camera:
            rows += [ProcessRow(f"{stage.name}:{camera}", (stage,), camera) for camera in cameras]
        elif placement == "fused" and stage.name in FUSED and rows and rows[-1].stages[-1].name in FUSED:
            together = (*rows[-1].stages, stage)
            rows[-1] = ProcessRow("+".join(s.name for s in together), together)
        else:
            rows.append(ProcessRow(stage.name, (stage,)))
    return rows


def readers(topic: str, rows: list[ProcessRow]) -> tuple[str, ...]:
    """Who reads a topic, the driving one first. Inside a process nothing is read from a ring."""
    driving = [row.stages[0].name for row in rows if row.reads == topic]
    looking = [stage.name for row in rows for stage in row.stages if stage.looks_at == topic]
    return (*driving, *looking) or ((PARENT,) if topic == TOPICS[-1].name else ())


def slot_bytes(topic: str, config: RunConfig, crop_px: int) -> int:
    if topic == "frames":
        sizes_wh = [camera.size_wh or config.capture.size_wh or LARGEST_FRAME_WH for camera in config.cameras]
        return max(frame_bytes(size_wh) for size_wh in sizes_wh)
    if topic == "aligned":
        return 32_768 + MAX_FACES * crop_px * crop_px * 3
    bytes_of = {"tracks": 65_536 + MAX_FACES * 4096, "identities": 65_536 + MAX_FACES * 2048, "shown": 8192}
    return bytes_of.get(topic, 65_536)


def check(topics: tuple[TopicRow, ...] = TOPICS, stages: tuple[StageRow, ...] = STAGES) -> None:
    """Refuses wiring that could not work. Raises ValueError that lists everything wrong with it."""
    known = {topic.name for topic in topics}
    wrong = [f"two topics are called {name}" for name in _repeated(topic.name for topic in topics)]
    wrong += [f"two stages are called {name}" for name in _repeated(stage.name for stage in stages)]
    for stage in stages:
        named = {stage.reads, stage.looks_at, stage.writes} - known - {None}
        wrong += [f"{stage.name} names the topic {name}, which does not exist" for name in named]
    wrong += [f"{name} has two writers" for name in _repeated(stage.writes for stage in stages)]
    written = {stage.writes for stage in stages}
    read = {stage.reads for stage in stages}
    for topic in topics:
        if topic.name not in written:
            wrong.append(f"nobody writes {topic.name}")
        if topic.name not in read and topic is not topics[-1]:
            wrong.append(f"nobody reads {topic.name}")
    wrong += [f"{name} drives two stages" for name in _repeated(stage.reads for stage in stages if stage.reads)]
    if wrong:
        raise ValueError("The wiring does not hold together: " + "; ".join(wrong) + ".")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
