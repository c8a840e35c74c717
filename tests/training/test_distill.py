from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from engines.faces import Faces  # noqa: E402
from tests.training import three_networks  # noqa: E402
from tests.training.settled import settled  # noqa: E402
from training import distill, teacher_odds  # noqa: E402
from training.nets import normal  # noqa: E402
from training.piece_sheet import PieceSheet  # noqa: E402


def _mean(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return pictures.mean(axis=(1, 2, 3)).astype(np.float32)


def test_what_the_teacher_says_lies_beside_the_samples(tmp_path: Path) -> None:
    folder = three_networks.samples(tmp_path, "rnet") / "taught"
    assert distill.distill("rnet", folder, "mean", _mean) == 192
    expected = _mean(three_networks.pieces("rnet", 192).pictures)
    np.testing.assert_array_equal(teacher_odds.read(folder, 192), expected)
    assert not list(folder.glob("*.part"))


def test_who_is_interrupted_goes_on_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = three_networks.samples(tmp_path, "rnet") / "taught"
    monkeypatch.setattr(distill, "_CHUNK", 64)
    asked: list[int] = []

    def tires(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(len(pictures))
        return _mean(pictures)

    with pytest.raises(KeyboardInterrupt):
        distill.distill("rnet", folder, "mean", tires)
    (part,) = folder.glob("*.part")
    with part.open("ab") as file:
        file.write(b"\x01\x02")  # killed in the middle of a number

    def goes_on(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(pictures))
        return _mean(pictures)

    distill.distill("rnet", folder, "mean", goes_on)
    assert asked == [64, 64, 64]
    np.testing.assert_array_equal(teacher_odds.read(folder, 192), _mean(three_networks.pieces("rnet", 192).pictures))


def test_a_network_can_teach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = three_networks.samples(tmp_path / "samples", "pnet")
    run = three_networks.as_checkpoints(tmp_path / "run")
    assert distill.main(["pnet", "--samples", str(samples), "--by", str(run)]) == 0
    assert "192 samples" in capsys.readouterr().out
    pictures = normal(torch.from_numpy(three_networks.pieces("pnet", 192).pictures))
    with torch.no_grad():
        said = settled("pnet", "plain")(pictures).odds.reshape(-1)
    np.testing.assert_allclose(teacher_odds.read(samples / "taught", 192), said, atol=1e-3)


def test_a_teacher_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = three_networks.samples(tmp_path / "samples", "pnet")
    assert distill.main(["pnet", "--samples", str(samples), "--by", "nobody"]) == 2
    assert "no such place" in capsys.readouterr().err


class Bright:
    """A detector that finds a face wherever a piece on the sheet is white; what is grey is somewhat beside it."""

    def detect(self, images_bgr: list[NDArray[np.uint8]]) -> list[Faces]:
        (sheet,) = images_bgr
        boxes, scores = [], []
        for top in range(16, len(sheet), 112):
            for left in range(16, len(sheet), 112):
                light = int(sheet[top + 40, left + 40, 0])
                if light > 150:
                    aside = 0 if light > 250 else 70
                    boxes.append([left + aside, top, left + aside + 80, top + 80])
                    scores.append(0.9)
        count = len(boxes)
        found = np.array(boxes, np.float32).reshape(count, 4)
        return [Faces(found, np.array(scores, np.float32), np.zeros((count, 5, 2), np.float32))]

    def close(self) -> None:
        pass


def test_a_detector_says_of_each_piece_whether_a_face_fills_it() -> None:
    light = np.zeros(100, np.uint8)
    light[[0, 40, 99]] = 255
    light[50] = 200
    pieces = np.ones((100, 24, 24, 3), np.uint8) * light[:, None, None, None]
    odds = PieceSheet(Bright()).odds(pieces)  # type: ignore[arg-type]
    assert odds.shape == (100,)
    assert np.flatnonzero(odds > 0).tolist() == [0, 40, 99]
    assert odds.max() == pytest.approx(np.log(9), rel=1e-5)
    assert odds.min() == pytest.approx(-np.log(19), rel=1e-5)
