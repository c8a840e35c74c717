from __future__ import annotations

import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train] is not installed")

from checkpoints.errors import ModelError, OutputError  # noqa: E402
from training import checkpoint  # noqa: E402
from training.nets import Net  # noqa: E402
from training.shapes import FORMS, PARTS, shape  # noqa: E402


@pytest.mark.parametrize("part", PARTS)
def test_a_network_comes_back_as_it_was(tmp_path: Path, part: str) -> None:
    net = Net(shape(part, "light")).eval()  # type: ignore[arg-type]
    checkpoint.save(tmp_path / "net.pt", net, step=3)
    again = checkpoint.load(tmp_path / "net.pt", part).eval()
    pictures = torch.rand(2, 3, 48, 48) if part == "onet" else torch.rand(2, 3, 24, 24)
    assert again.shape == net.shape
    assert all(torch.equal(one, other) for one, other in zip(net(pictures), again(pictures), strict=True))
    assert checkpoint.read(tmp_path / "net.pt")["step"] == 3


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "net.pt", Net(shape("pnet", "plain")))
    with pytest.raises(ModelError, match="another network"):
        checkpoint.load(tmp_path / "net.pt", "rnet")


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"hello"), ("cut", b"PK\x03\x04rest")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="cannot be read"):
            checkpoint.load(tmp_path / name)
    torch.save({"weights": 1}, tmp_path / "other")
    with pytest.raises(ModelError, match="no checkpoint"):
        checkpoint.load(tmp_path / "other")
    with pytest.raises(ModelError, match="no checkpoint"):
        checkpoint.load(tmp_path / "nothing")


def test_a_file_that_would_run_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "it ran",)

    torch.save({"shape": Evil(), "quantised": False, "state": {}}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoint.load(tmp_path / "evil.pt")
    assert not (tmp_path / "it ran").exists()


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "net.pt", Net(shape("pnet", "plain")))
    content = checkpoint.read(tmp_path / "net.pt")
    content["state"].popitem()
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(ModelError, match="another network"):
        checkpoint.load(tmp_path / "net.pt")


@pytest.mark.parametrize("form", FORMS)
def test_pnet_takes_any_size_in_every_form(form: str) -> None:
    net = Net(shape("pnet", form)).eval()  # type: ignore[arg-type]
    for side, cells in ((12, 1), (14, 2), (40, 15)):
        assert net(torch.zeros(1, 3, side, side)).odds.shape == (1, 1, cells, cells)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"shape": {"part": "xnet"}}, "describes no network"), ({"state": ["weights"]}, "another network")],
)
def test_what_is_in_it_must_be_a_network(tmp_path: Path, wrong: dict[str, object], says: str) -> None:
    checkpoint.save(tmp_path / "net.pt", Net(shape("pnet", "plain")))
    content = checkpoint.read(tmp_path / "net.pt")
    if "shape" in wrong:
        wrong = {"shape": content["shape"] | wrong["shape"]}
    torch.save(content | wrong, tmp_path / "net.pt")
    with pytest.raises(ModelError, match=says):
        checkpoint.load(tmp_path / "net.pt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_on_a_full_disk_the_old_one_stays(tmp_path: Path) -> None:
    net = Net(shape("pnet", "plain"))
    checkpoint.save(tmp_path / "net.pt", net, step=1)
    (tmp_path / f".net.pt.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="cannot be written"):
        checkpoint.save(tmp_path / "net.pt", net, step=2)
    assert checkpoint.read(tmp_path / "net.pt")["step"] == 1
