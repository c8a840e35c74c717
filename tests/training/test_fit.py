from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
pytest.importorskip("tensorboard", reason="the extra [train] is not installed")

from checkpoints.errors import DataError, OutputError, TrainingError  # noqa: E402
from training import checkpoint  # noqa: E402
from training import fit as fitting  # noqa: E402
from training.course import Course  # noqa: E402
from training.fit import fit  # noqa: E402
from training.nets import Net  # noqa: E402
from training.quantised import QuantisedNet  # noqa: E402
from training.samples import NEGATIVE, POSITIVE, Pieces  # noqa: E402
from training.shapes import shape  # noqa: E402

COURSE = Course(steps=30, batch=32, checks=3, average=0.9, half=False, warm_up=0.1, seed=5)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def pieces(count: int = 128) -> Pieces:
    """Faces are brighter than the rest."""
    random = np.random.default_rng(0)
    faces = np.arange(count) % 2
    pictures = random.integers(0, 128, (count, 12, 12, 3)) + 127 * faces[:, None, None, None]
    kinds = np.where(faces, POSITIVE, NEGATIVE)
    offsets = np.full((count, 4), 0.1, np.float32) * faces[:, None]
    landmarks = np.where(faces[:, None], np.float32(0.5), np.float32(np.nan)).repeat(10, axis=1)
    return Pieces(pictures.astype(np.uint8), kinds.astype(np.uint8), offsets.astype(np.float32), landmarks)


def net() -> Net:
    torch.manual_seed(1)
    return Net(shape("pnet", "strided"))


def state(path: Path) -> dict[str, torch.Tensor]:
    kept: dict[str, torch.Tensor] = checkpoint.read(path)["state"]
    return kept


def equal(one: Path, other: Path) -> bool:
    states = state(one), state(other)
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_it_learns_and_keeps_the_best(tmp_path: Path) -> None:
    trial = fit(net(), pieces(), pieces(), COURSE, tmp_path)
    assert trial.accuracy > 0.95
    kept = checkpoint.read(tmp_path / "best.pt")
    assert kept["figures"]["loss"] == trial.loss
    assert list((tmp_path / "curves").iterdir())


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    for name in ("one", "other"):
        fit(net(), pieces(), pieces(), COURSE, tmp_path / name)
    assert equal(tmp_path / "one" / "last.pt", tmp_path / "other" / "last.pt")


def test_an_interrupted_run_ends_like_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(net(), pieces(), pieces(), COURSE, tmp_path / "whole")
    whole_step, taken = fitting._one_step, list[int]()

    def interrupted(run: fitting._Run, *others: object) -> object:
        taken.append(run.step)
        if len(taken) == 17:
            raise KeyboardInterrupt
        return whole_step(run, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "_one_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(net(), pieces(), pieces(), COURSE, tmp_path / "broken")
    fit(net(), pieces(), pieces(), COURSE, tmp_path / "broken")
    assert taken[17] == 10  # from where it was last kept
    assert equal(tmp_path / "whole" / "last.pt", tmp_path / "broken" / "last.pt")


def test_a_finished_run_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fit(net(), pieces(), pieces(), COURSE, tmp_path)
    monkeypatch.setattr(fitting, "_one_step", lambda *_: pytest.fail("it was taught again"))
    assert fit(net(), pieces(), pieces(), COURSE, tmp_path) == first


def test_a_folder_of_another_run_is_left_alone(tmp_path: Path) -> None:
    fit(net(), pieces(), pieces(), COURSE, tmp_path)
    with pytest.raises(DataError, match="other settings"):
        fit(net(), pieces(), pieces(), replace(COURSE, learning_rate=1.0), tmp_path)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_one(tmp_path: Path) -> None:
    bad = pieces()
    bad.offsets[:] = np.inf
    fit(net(), pieces(), pieces(), replace(COURSE, steps=10, checks=1), tmp_path)
    with pytest.raises(TrainingError, match="not a number"):
        fit(checkpoint.load(tmp_path / "best.pt"), bad, pieces(), COURSE, tmp_path / "on")
    assert checkpoint.load(tmp_path / "best.pt")


def test_a_network_that_rounds_is_taught_in_full_and_comes_back(tmp_path: Path) -> None:
    fit(net(), pieces(), pieces(), COURSE, tmp_path / "fp32")
    rounded = QuantisedNet(checkpoint.load(tmp_path / "fp32" / "best.pt"))
    trial = fit(rounded, pieces(), pieces(), COURSE, tmp_path / "int8")
    assert trial.accuracy > 0.95
    assert isinstance(checkpoint.load(tmp_path / "int8" / "best.pt", "pnet"), QuantisedNet)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        fit(net(), pieces(), pieces(), COURSE, tmp_path)
    assert not list(tmp_path.glob("*.pt"))
    assert not list(tmp_path.glob(".*"))


def test_a_network_that_is_ruined_between_two_looks_takes_no_place_of_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(net(), pieces(), pieces(), replace(COURSE, steps=10, checks=1), tmp_path / "good")
    whole_step = fitting._one_step

    def ruining(run: fitting._Run, *others: object) -> object:
        errors = whole_step(run, *others)  # type: ignore[arg-type]
        torch.nn.init.constant_(run.averaged.odds.weight, float("nan"))
        return errors

    monkeypatch.setattr(fitting, "_one_step", ruining)
    with pytest.raises(TrainingError, match="not a number"):
        fit(net(), pieces(), pieces(), COURSE, tmp_path / "ruined")
    assert not list((tmp_path / "ruined").glob("*.pt"))


def test_a_file_from_which_no_run_can_go_on_is_told(tmp_path: Path) -> None:
    fit(net(), pieces(), pieces(), COURSE, tmp_path)
    (tmp_path / "last.pt").write_bytes((tmp_path / "best.pt").read_bytes())
    with pytest.raises(DataError, match="No run can go on"):
        fit(net(), pieces(), pieces(), COURSE, tmp_path)
