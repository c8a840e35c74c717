from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints.errors import OutputError
from pipeline import clips
from pipeline.config import CameraConfig, ClipsConfig
from pipeline.messages import FrameRef, NamedFace, State
from pipeline.recorder import Recorder
from pipeline.video import VideoReader

IMAGE = np.full((48, 64, 3), 90, np.uint8)
FPS = 10


def face(track: int = 1, state: State = "known", name: str | None = "Ann") -> NamedFace:
    return NamedFace(track, np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.8, name, state, 0.8, 0.2, 5)


def length_s(path: Path) -> float:
    reader = VideoReader(CameraConfig("r", str(path), str(path)))
    times = [at_s for at_s, _ in reader.frames()]
    reader.close()
    assert times[0] == 0
    return round(times[-1], 2)


class Filmed:
    """A camera of ten frames a second; `seen` tells which faces are in which of its frames."""

    def __init__(self, folder: Path, *, record: Path | None = None, seconds: float = 2.0) -> None:
        self.folder = folder / "clips"
        self.told: list[dict[str, object]] = []
        config = ClipsConfig(self.folder, seconds, days=1.0)
        self.recorder = Recorder(record, cameras=1, generation=0, clips=config, tell=self.told.append)

    def run(self, frames: int, seen: dict[int, tuple[NamedFace, ...]]) -> None:
        for seq in range(frames):
            ref = FrameRef("Tür", 0, seq, seq / FPS, seq * 100_000_000, seq, (64, 48))
            self.recorder.write(ref, IMAGE, seen.get(seq, ()))

    @property
    def lengths_s(self) -> list[float]:
        return [length_s(path) for path in sorted(self.folder.glob("*.mp4"))]


def test_a_clip_has_what_came_before_and_what_came_after(tmp_path: Path) -> None:
    filmed = Filmed(tmp_path, record=tmp_path / "all.mp4")
    filmed.run(200, {100: (face(),), 101: (face(),)})
    filmed.recorder.close()
    (length,) = filmed.lengths_s
    assert 4.0 <= length <= 4.0 + 25 / FPS, "it begins with a key frame, and there is one in 25"
    (event,) = filmed.told
    assert (event["type"], event["camera"], event["event"]) == ("clip", "Tür", "Tür/100/1")
    assert (filmed.folder / str(event["file"])).exists()
    assert length_s(tmp_path / "all.mp4") == 19.9


def test_what_follows_soon_is_in_the_same_clip_and_what_follows_later_in_another(tmp_path: Path) -> None:
    filmed = Filmed(tmp_path)
    filmed.run(300, {50: (face(),), 65: (face(2, "unknown", None),), 200: (face(3, name="Bob"),)})
    filmed.recorder.close()
    first, second = filmed.lengths_s
    assert 5.5 <= first <= 8.0 and 4.0 <= second <= 6.5
    assert [event["event"] for event in filmed.told] == ["Tür/50/1", "Tür/200/3"]


def test_only_what_is_new_and_decided_is_worth_a_clip(tmp_path: Path) -> None:
    filmed = Filmed(tmp_path)
    filmed.run(60, {seq: (face(1, "undecided", None),) for seq in range(60)})
    filmed.recorder.close()
    assert filmed.told == []
    assert not filmed.folder.exists()


def test_where_much_happens_one_clip_follows_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "LONGEST_S", 5.0)
    filmed = Filmed(tmp_path)
    filmed.run(150, {seq: (face(seq),) for seq in range(10, 140, 5)})
    filmed.recorder.close()
    assert len(filmed.told) >= 2
    assert max(filmed.lengths_s) <= 5.0 + 1 / FPS


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    filmed = Filmed(tmp_path)
    filmed.folder.write_text("in the way")
    with pytest.raises(OutputError, match="Films cannot be written"):
        filmed.run(20, {5: (face(),)})
    filmed.recorder.abandon()
