from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints.errors import DataError
from tests.training.test_samples import same
from training import checkpoint, labels, toy
from training import mine as mining
from training.labels import Labelled
from training.mine import Mining, main, mine
from training.nets import Net
from training.samples import KINDS, SampleWriter, open_samples
from training.shapes import shape

FEW = Mining(scenes=110, held_out=0.1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return toy.make(Path(tmp_path_factory.mktemp("toy")))


@pytest.fixture
def pictures(folders: tuple[Path, Path]) -> tuple[list[Labelled], list[Labelled]]:
    return labels.read(folders[0]), labels.read(folders[1])


Pictures = tuple[list[Labelled], list[Labelled]]


def test_windows_of_all_kinds_are_mined_and_the_same_for_the_same_seed(tmp_path: Path, pictures: Pictures) -> None:
    for name in ("one", "other"):
        mine("pnet", *pictures, [], [], FEW, tmp_path / name)
    one, other = (open_samples(tmp_path / name / "taught", "pnet") for name in ("one", "other"))
    assert same(one, other)
    counts = np.bincount(one.kinds, minlength=len(KINDS))
    assert (counts[:3] > 100).all()
    assert len(open_samples(tmp_path / "one" / "held_out", "pnet"))


def test_a_run_that_was_killed_ends_like_one_that_was_not(
    tmp_path: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine("pnet", *pictures, [], [], FEW, tmp_path / "whole")
    append = SampleWriter.append

    def killed(self: SampleWriter, *given: object, **named: object) -> None:
        if self.done:
            raise KeyboardInterrupt
        append(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SampleWriter, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        mine("pnet", *pictures, [], [], FEW, tmp_path / "broken")
    monkeypatch.undo()
    mine("pnet", *pictures, [], [], FEW, tmp_path / "broken")
    for name in ("taught", "held_out"):
        whole, broken = (open_samples(tmp_path / run / name, "pnet") for run in ("whole", "broken"))
        assert same(whole, broken)


def test_nobody_is_learnt_from_and_held_out(pictures: Pictures) -> None:
    taught, held_out = (mining._divided(pictures[0], FEW, held_out=each) for each in (False, True))
    assert {each.image for each in taught} & {each.image for each in held_out} == set()
    assert len(taught) + len(held_out) == len(pictures[0])
    assert held_out


@pytest.mark.parametrize("part", ["rnet", "onet"])
def test_what_networks_before_let_through_is_mined(tmp_path: Path, pictures: Pictures, part: str) -> None:
    before = []
    for name in ("pnet", "rnet")[: 1 if part == "rnet" else 2]:
        before.append(tmp_path / f"{name}.pt")
        checkpoint.save(before[-1], Net(shape(name, "light")).eval())  # type: ignore[arg-type]
    few = replace(FEW, scenes=12, least_score=0.05)
    mine(part, *pictures, [], before, few, tmp_path / "samples")  # type: ignore[arg-type]
    assert len(open_samples(tmp_path / "samples" / "taught", part))  # type: ignore[arg-type]


@pytest.mark.parametrize(("part", "count"), [("rnet", 0), ("rnet", 2), ("onet", 1), ("pnet", 2)])
def test_the_right_number_of_networks_is_wanted(tmp_path: Path, pictures: Pictures, part: str, count: int) -> None:
    with pytest.raises(DataError, match="networks"):
        mine(part, *pictures, [], [Path("net.pt")] * count, FEW, tmp_path)  # type: ignore[arg-type]


def test_pictures_are_taken_as_they_are(tmp_path: Path, pictures: Pictures) -> None:
    mine("pnet", [], [], pictures[0], [], replace(FEW, held_out=0.2), tmp_path)
    assert (np.bincount(open_samples(tmp_path / "taught", "pnet").kinds, minlength=3) > 0).all()


def test_nothing_to_mine_from_is_told(
    tmp_path: Path, folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pnet", "--out", str(tmp_path)]) == 2
    assert "nothing to mine from" in capsys.readouterr().err
    assert main(["pnet", "--people", str(folders[0]), "--out", str(tmp_path)]) == 2
    assert "backgrounds" in capsys.readouterr().err


def test_too_little_to_hold_some_back_is_told_before_any_work(tmp_path: Path, pictures: Pictures) -> None:
    people, places = pictures
    with pytest.raises(DataError, match="backgrounds"):
        mine("pnet", people, places[:3], [], [], FEW, tmp_path / "out")
    with pytest.raises(DataError, match="try networks on"):
        mine("pnet", people[:3], places, [], [], FEW, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_samples_of_another_network_are_not_taken_for_these(tmp_path: Path, pictures: Pictures) -> None:
    mine("pnet", *pictures, [], [], FEW, tmp_path)
    with pytest.raises(DataError, match="another network"):
        mine("rnet", *pictures, [], [_saved(tmp_path)], FEW, tmp_path)


def test_pictures_in_which_nothing_is_found_do_not_count_as_mined(tmp_path: Path, pictures: Pictures) -> None:
    nothing = replace(FEW, held_out=0.2, each_face=0, others=0)
    for _ in range(2):
        with pytest.raises(DataError, match="Not a single sample"):
            mine("pnet", [], [], pictures[1], [], nothing, tmp_path)


def test_a_broken_picture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people, places = toy.make(tmp_path / "toy")
    for path in (people / "images").rglob("*.png"):
        path.write_bytes(path.read_bytes()[:99])
    told = ["--people", str(people), "--backgrounds", str(places), "--scenes", "20", "--held-out", "0.2"]
    assert main(["pnet", *told, "--out", str(tmp_path / "out")]) == 2
    assert "picture.png" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["0", "1", "-1", "some"])
def test_a_share_lies_between_nothing_and_all(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["pnet", "--held-out", share, "--out", "nowhere"])
    assert "between 0 and 1" in capsys.readouterr().err


def _saved(folder: Path) -> Path:
    checkpoint.save(folder / "pnet.pt", Net(shape("pnet", "light")).eval())
    return folder / "pnet.pt"
