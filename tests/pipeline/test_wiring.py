from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from pipeline import wiring
from pipeline.wiring import STAGES, TOPICS, StageRow, TopicRow


def test_the_wiring_holds_together() -> None:
    wiring.check()


def broken(**change: StageRow) -> tuple[StageRow, ...]:
    return tuple(change.get(row.name, row) for row in STAGES)


ALIGN = next(row for row in STAGES if row.name == "align")
WRONG = {
    "names the topic nowhere": (TOPICS, broken(align=replace(ALIGN, looks_at="nowhere"))),
    "tracks has two writers": (TOPICS, broken(align=replace(ALIGN, writes="tracks"))),
    "nobody reads spare": ((TopicRow("spare", 4), *TOPICS), (*STAGES, StageRow("extra", "m", writes="spare"))),
    "nobody writes spare": ((TopicRow("spare", 4), *TOPICS), (*STAGES, StageRow("extra", "m", "shown", "spare"))),
    "two stages are called align": (TOPICS, (*STAGES, ALIGN)),
    "two topics are called tracks": ((*TOPICS[:-1], TopicRow("tracks", 2), TOPICS[-1]), STAGES),
    "detections drives two stages": (TOPICS, (*STAGES, replace(ALIGN, name="other", writes="shown"))),
}


@pytest.mark.parametrize("complaint", WRONG)
def test_bad_wiring_is_refused(complaint: str) -> None:
    topics, stages = WRONG[complaint]
    with pytest.raises(ValueError, match=complaint):
        wiring.check(topics, stages)


def test_split_gives_each_stage_a_process_and_each_camera_its_capture() -> None:
    names = [row.name for row in wiring.processes("split", ("a", "b"))]
    assert names == ["capture:a", "capture:b", "detect", "align", "recognise", "lookup", "draw"]


def test_fused_runs_the_three_that_need_engines_in_one() -> None:
    rows = wiring.processes("fused", ("a",))
    assert [row.name for row in rows] == ["capture:a", "detect+align+recognise", "lookup", "draw"]
    assert (rows[1].reads, rows[1].writes, rows[1].looks_at) == ("frames", "tracks", ("align",))


@pytest.mark.parametrize("placement", ["split", "fused"])
def test_readers_begin_with_the_one_that_drives(placement: wiring.Placement) -> None:
    rows = wiring.processes(placement, ("a",))
    assert wiring.readers("frames", rows) == ("detect", "align", "lookup", "draw")
    assert wiring.readers("shown", rows) == (wiring.PARENT,)
    assert wiring.readers("detections", rows) == (() if placement == "fused" else ("align",))


@pytest.mark.parametrize("row", STAGES, ids=lambda row: row.name)
def test_each_stage_has_the_function_that_the_child_calls(row: StageRow) -> None:
    module = importlib.import_module(row.module)
    assert callable(getattr(module, "open_source" if row.reads is None else "open_stage"))
