from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints.errors import ModelError  # noqa: E402
from engines.load import opener  # noqa: E402
from engines.options import EngineOptions  # noqa: E402
from tests.training import three_networks  # noqa: E402
from tests.training.settled import looks, settled  # noqa: E402
from training.net_score import ask  # noqa: E402
from training.nets import MEAN, SCALE  # noqa: E402
from training.shapes import PARTS, Part  # noqa: E402
from training.trio import find, network  # noqa: E402


@pytest.fixture
def config(tmp_path: Path) -> EngineOptions:
    return EngineOptions(cache=tmp_path / "cache", models=tmp_path / "models")


def test_a_folder_of_files_a_run_and_single_files_are_the_same_networks(tmp_path: Path, config: EngineOptions) -> None:
    files = three_networks.as_files(tmp_path / "files")
    run = three_networks.as_checkpoints(tmp_path / "run")
    places = [str(files), str(run), f"{files},{run / 'rnet' / 'best.pt'},{files / 'onet.onnx'}"]
    found = [find(f"trio{number}", place, config, tmp_path) for number, place in enumerate(places)]
    assert len({tuple(trio.networks[part].sha256 for part in PARTS) for trio in found}) == 1
    assert {spec.precision for trio in found for spec in trio.networks.values()} == {"fp32"}


@pytest.mark.parametrize("part", PARTS)
def test_an_engine_says_what_the_network_says(part: Part, tmp_path: Path, config: EngineOptions) -> None:
    trio = find("files", str(three_networks.as_files(tmp_path / "files")), config, tmp_path)
    pictures = looks(part)[:5]
    pixels = (pictures / SCALE + MEAN).permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
    with closing(trio.engine(opener(config), part, batch=3)) as engine:
        answers = ask(engine, pixels)
    with torch.no_grad():
        said = settled(part, "plain")(pictures)
    np.testing.assert_allclose(answers.odds, said.odds.reshape(-1), atol=1e-3)
    np.testing.assert_allclose(answers.offsets, said.offsets.reshape(-1, 4), atol=1e-3)
    assert (answers.landmarks is None) == (part != "onet")


def test_files_that_round_run_in_int8_unless_another_precision_is_told(tmp_path: Path, config: EngineOptions) -> None:
    files = three_networks.as_files(tmp_path / "files", rounded=True)
    plain, told = network("rnet", str(files), config, tmp_path), network("rnet", f"{files}@fp32", config, tmp_path)
    assert (plain.precision, plain.pairs) == ("int8", True)
    assert (told.precision, told.pairs) == ("fp32", True)


def test_a_cascade_of_such_networks_looks_at_pictures(tmp_path: Path, config: EngineOptions) -> None:
    trio = find("files", str(three_networks.as_files(tmp_path / "files", rounded=True)), config, tmp_path)
    image_bgr = np.random.default_rng(1).integers(0, 256, (70, 90, 3), np.uint8)
    with closing(trio.cascade(opener(config), config)) as cascade:
        (faces,) = cascade.detect([image_bgr])
    assert faces.landmarks.shape == (len(faces), 5, 2)


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("a,b", "three networks"),
        ("nowhere", "no such place"),
        ("files@fp8", "no precision"),
        ("yunet", "no cascade"),
        ("broken", "not a whole ONNX file"),
        ("swapped", "another network"),
        ("empty", "no pnet in this folder"),
    ],
)
def test_what_is_no_cascade_is_refused(
    where: str, what: str, tmp_path: Path, config: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    for part in PARTS:
        (tmp_path / "broken" / f"{part}.onnx").write_bytes(b"\xffhalf")
    run = three_networks.as_checkpoints(tmp_path / "run")
    (tmp_path / "swapped" / "pnet").mkdir(parents=True)
    shutil.copy(run / "rnet" / "best.pt", tmp_path / "swapped" / "pnet" / "best.pt")
    with pytest.raises(ModelError, match=what):
        find("one", where, config, tmp_path)
