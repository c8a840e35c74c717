from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints import brought, manifest, onnx_file, store
from checkpoints.errors import ModelError
from checkpoints.onnx_file import Network, Node, Value
from checkpoints.store import sha256_of


def _network(folder: Path, name: str, outputs: list[Value], size: tuple[int | str, int | str] = (112, 112)) -> Path:
    """Takes (1, 3, H, W); every output is nonsense, only names and shapes matter here."""
    network = Network(
        nodes=[Node("Identity", ["data"], [value.name]) for value in outputs],
        constants={},
        inputs=[Value("data", (1, 3, *size))],
        outputs=outputs,
        opset=17,
    )
    path = folder / name
    path.write_bytes(onnx_file.write(network))
    return path


def _embedder(folder: Path) -> tuple[Path, dict[str, Any]]:
    path = _network(folder, "arc.onnx", [Value("vector", (1, 512))])
    file = {"part": "net", "name": "arc.onnx", "sha256": sha256_of(path), "size_wh": [112, 112], "input": "data"}
    return path, {
        "files": [file | {"outputs": {"embedding": "vector"}}],
        "layout": "NCHW",
        "colour": "RGB",
        "mean": 127.5,
        "scale": 1 / 127.5,
        "embedding_dim": 512,
        "crop": "arcface112",
        "match_threshold": 0.4,
    }


def _put(path: Path, content: object) -> None:
    path.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")


def test_the_least_that_a_manifest_must_say(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    _put(path, content)
    known, folder = brought.find(path, "embedder")
    assert folder == tmp_path
    assert (known.name, known.role, known.embedding_dim, known.match_threshold) == ("arc", "embedder", 512, 0.4)
    assert known.mean == (127.5,) * 3
    assert known.crop is not None
    assert known.crop.template == manifest.load("sface").crop.template  # type: ignore[union-attr]
    assert known.files[0].source is None
    assert store.locate(known, folder) == {"net": path}
    assert known.embedding_space.startswith("arc@sha256:")


def test_more_may_be_said_than_must_be(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    crop = {"name": "mine", "template": [[30, 40], [80, 40], [56, 60], [40, 90], [72, 90]]}
    _put(path, content | {"name": "my-arc", "title": "Mine", "licence": "MIT", "role": "embedder", "crop": crop})
    known, _ = brought.find(path, "embedder")
    assert (known.name, known.title, known.licence, known.notes) == ("my-arc", "Mine", "MIT", "not told")
    assert known.crop is not None
    assert known.crop.name == "mine"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("crop", "arcface224", "crop: must be an object"),
        ("colour", None, "colour: must be RGB or BGR"),
        ("mean", [1, 2], "mean: must be a number or a list of three"),
        ("match_treshold", 0.4, "match_treshold: is not a field"),
        ("embedding_dim", "512", "embedding_dim: must be a whole number"),
        ("role", "detector", "family: must be mtcnn"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_said(tmp_path: Path, key: str, value: object, told: str) -> None:
    path, content = _embedder(tmp_path)
    _put(path, content | {key: value})
    with pytest.raises(ModelError) as caught:
        brought.find(path, "embedder")
    assert told in str(caught.value)
    assert "arc.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\ufeff{}"])
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    path, _ = _embedder(tmp_path)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"arc\.json"):
        brought.find(path, "embedder")
    path.with_suffix(".json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        brought.find(path, "embedder")


def test_nothing_is_taken_whose_hash_does_not_agree(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    _put(path, content)
    brought.find(path, "embedder")
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(ModelError, match="not the file that its manifest describes") as caught:
        brought.find(path, "embedder")
    assert content["files"][0]["sha256"] in str(caught.value)
    assert sha256_of(path) in str(caught.value)


def test_a_manifest_of_another_file_or_another_use(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    other = path.with_name("other.onnx")
    other.write_bytes(path.read_bytes())
    _put(other, content)
    with pytest.raises(ModelError, match="none of them is other.onnx"):
        brought.find(other, "embedder")
    detector = {key: content[key] for key in ("files", "layout", "colour", "mean", "scale")}
    _put(path, detector | {"role": "detector", "family": "yunet"})
    with pytest.raises(ModelError, match="it is to be the embedder"):
        brought.find(path, "embedder")
    with pytest.raises(ModelError, match="cls_8, cls_16"):
        brought.find(path, "detector")


def test_an_embedder_takes_one_size(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    content["files"][0]["size_wh"] = None
    _put(path, content)
    with pytest.raises(ModelError, match=r"size_wh must be \[width, height\]"):
        brought.find(path, "embedder")


@pytest.mark.parametrize("name", ["arc.pt", "arc.pth", "arc.PKL", "arc.npy", "weights/arc.bin"])
def test_pickles_are_not_even_opened(tmp_path: Path, name: str) -> None:
    """Not even whether they are there is asked."""
    with pytest.raises(ModelError, match="never opened"):
        brought.find(tmp_path / name, "embedder")


class _Exploding:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was executed",))


def test_a_pickle_with_another_name_is_not_executed(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    for content in (pickle.dumps(_Exploding()), b"PK\x03\x04archive/data.pkl", b"\x93NUMPY\x01\x00v\x00"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="pickle or an archive"):
            brought.find(path, "embedder")


@pytest.mark.parametrize(
    ("name", "told"), [("net.engine", "plans"), ("net.tflite", "ONNX file"), ("no.onnx", "no such")]
)
def test_other_files_and_files_that_are_not_there(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        brought.find(tmp_path / name, "detector")


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match="no such model"):
        brought.find(tmp_path / "folder.onnx", "detector")


def _text_in(error: ModelError) -> dict[str, Any]:
    """The JSON between the sentences of the advice."""
    lines = str(error.fix).splitlines()
    content: dict[str, Any] = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    return content


def test_without_a_manifest_the_beginning_of_one_is_shown(tmp_path: Path) -> None:
    path, complete = _embedder(tmp_path)
    with pytest.raises(ModelError) as caught:
        brought.find(path, "embedder")
    message = str(caught.value)
    assert str(path.with_suffix(".json")) in message
    for field in ("colour: RGB or BGR", "mean: ", "scale: ", "match_threshold: "):
        assert field in message
    content = _text_in(caught.value)
    open_fields = {key for key, value in content.items() if value is None}
    assert open_fields == {"colour", "mean", "scale", "match_threshold"}
    # Filled in, it is a manifest.
    _put(path, content | {key: complete[key] for key in open_fields})
    known, _ = brought.find(path, "embedder")
    assert known.embedding_dim == 512
    assert known.files[0].outputs == {"embedding": "vector"}


@pytest.mark.parametrize(
    ("outputs", "family"),
    [
        ([("a", 4), ("b", 2), ("c", 10)], "retinaface"),
        ([(f"{446 + i}", width) for i, width in enumerate((1, 1, 1, 4, 4, 4, 10, 10, 10))], "scrfd"),
        ([(f"{kind}_{s}", 1) for kind in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)], "yunet"),
    ],
)
def test_the_heads_of_a_detector_are_recognised(tmp_path: Path, outputs: list[tuple[str, int]], family: str) -> None:
    path = _network(tmp_path, "faces.onnx", [Value(name, (1, "rows", width)) for name, width in outputs], ("H", "W"))
    with pytest.raises(ModelError) as caught:
        brought.find(path, "detector")
    content = _text_in(caught.value)
    assert content["family"] == family
    assert content["files"][0]["size_wh"] is None
    _put(path, content | {"colour": "BGR", "mean": 0, "scale": 1})
    known, _ = brought.find(path, "detector")
    assert known.family == family
    assert list(known.files[0].outputs.values()) == [name for name, _ in outputs]


def test_three_files_of_a_cascade_share_a_manifest(tmp_path: Path) -> None:
    two = [Value("prob", (1, 2)), Value("box", (1, 4))]
    _network(tmp_path, "my_pnet.onnx", two, ("H", "W"))
    _network(tmp_path, "my_rnet.onnx", two, (24, 24))
    path = _network(tmp_path, "my_onet.onnx", [*two, Value("points", (1, 10))], (48, 48))
    with pytest.raises(ModelError) as caught:
        brought.find(path, "detector")
    content = _text_in(caught.value)
    assert [entry["name"] for entry in content["files"]] == ["my_pnet.onnx", "my_rnet.onnx", "my_onet.onnx"]
    _put(path, content | {"colour": "RGB", "mean": 127.5, "scale": 1 / 128})
    known, folder = brought.find(path, "detector")
    assert known.family == "mtcnn"
    assert set(store.locate(known, folder)) == {"pnet", "rnet", "onet"}
    assert known.file("onet").outputs == {"scores": "prob", "boxes": "box", "landmarks": "points"}
    (tmp_path / "my_rnet.onnx").unlink()
    with pytest.raises(ModelError, match="my_rnet.onnx"):
        brought.find(path, "detector")


def _rounding(path: Path) -> None:
    network = onnx_file.read(path.read_bytes())
    network.nodes.insert(0, Node("QuantizeLinear", ["data", "step"], ["bytes"]))
    network.constants["step"] = np.array(1, np.float32)
    path.write_bytes(onnx_file.write(network))


def test_a_cascade_may_give_log_odds_and_round_itself(tmp_path: Path) -> None:
    two = [Value("sure", (1, 1)), Value("box", (1, 4))]
    _network(tmp_path, "my_pnet.onnx", [Value("a", (1, "r", "c", 1)), Value("b", (1, "r", "c", 4))], ("H", "W"))
    _network(tmp_path, "my_rnet.onnx", two, (24, 24))
    path = _network(tmp_path, "my_onet.onnx", [*two, Value("points", (1, 10))], (48, 48))
    _rounding(path)
    with pytest.raises(ModelError) as caught:
        brought.find(path, "detector")
    content = _text_in(caught.value)
    manifest_path = tmp_path / "mine.json"
    manifest_path.write_text(json.dumps(content | {"colour": "BGR", "mean": 128, "scale": 1 / 128}), encoding="utf-8")
    known, folder = brought.find(manifest_path, "detector")
    assert (known.name, folder) == ("mine", tmp_path)
    assert known.file("pnet").outputs == {"log_odds": "a", "boxes": "b"}
    assert known.file("onet").outputs == {"log_odds": "sure", "boxes": "box", "landmarks": "points"}
    assert [file.pairs for file in known.files] == [False, False, True]
    content["files"][1]["outputs"] = {"boxes": "box"}
    manifest_path.write_text(json.dumps(content | {"colour": "BGR", "mean": 128, "scale": 1 / 128}), encoding="utf-8")
    with pytest.raises(ModelError, match="rnet: outputs must also name scores"):
        brought.find(manifest_path, "detector")


def test_a_manifest_leads_to_no_pickles(tmp_path: Path) -> None:
    path, content = _embedder(tmp_path)
    content["files"][0]["name"] = "arc.pkl"
    path.rename(tmp_path / "arc.pkl")
    _put(path, content)
    with pytest.raises(ModelError, match="never opened"):
        brought.find(tmp_path / "arc.json", "embedder")
    with pytest.raises(ModelError, match="no such manifest"):
        brought.find(tmp_path / "none.json", "embedder")


def test_heads_that_nobody_knows_are_left_to_the_user(tmp_path: Path) -> None:
    path = _network(tmp_path, "odd.onnx", [Value("out", (1, 7))], ("H", "W"))
    with pytest.raises(ModelError, match="family: mtcnn, yunet, retinaface or scrfd") as caught:
        brought.find(path, "detector")
    assert _text_in(caught.value)["family"] is None


@pytest.mark.parametrize("content", [b"", b"not a network", b"<html>404</html>" * 99])
def test_what_is_no_onnx_file_has_no_draft(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as an ONNX file"):
        brought.find(path, "embedder")


def test_a_cut_off_file_has_no_draft(tmp_path: Path) -> None:
    path, _ = _embedder(tmp_path)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ModelError, match="cannot be read as an ONNX file"):
            brought.find(path, "embedder")


def test_weights_in_a_file_of_their_own_are_refused(tmp_path: Path) -> None:
    """The sha256 of the network would say nothing about them."""
    path, _ = _embedder(tmp_path)
    network = onnx_file.read(path.read_bytes())
    network.constants = {"kernel": np.zeros(4, np.float32)}
    raw = onnx_file.write(network)
    # data_location (field 14) of the tensor: 1, external; lengths of the tensor and the graph grow by two bytes.
    from checkpoints import protobuf

    fields = protobuf.read(raw)
    for number, field in enumerate(fields):
        if field.number == 7:
            graph = protobuf.read(field.data)
            inner = [
                protobuf.message(5, [*protobuf.read(one.data), protobuf.integer(14, 1)]) if one.number == 5 else one
                for one in graph
            ]
            fields[number] = protobuf.message(7, inner)
    path.write_bytes(protobuf.write(fields))
    with pytest.raises(ModelError, match="another file"):
        brought.find(path, "embedder")


def test_the_beginning_of_a_manifest_on_the_command_line(tmp_path: Path) -> None:
    path, _ = _embedder(tmp_path)
    command = [sys.executable, "-m", "checkpoints.brought", "embedder"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["sha256"] == sha256_of(path)
    assert "match_threshold" in done.stderr
    done = subprocess.run([*command, str(tmp_path / "arc.pth")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "never opened" in done.stderr
    assert "Traceback" not in done.stderr
