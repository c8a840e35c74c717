from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoints import manifest, store
from checkpoints.convert import CONVERSIONS
from checkpoints.errors import ModelError
from checkpoints.manifest import Scores
from checkpoints.model_file import ModelFile, QuantisedFile, Source


def content(name: str = "sface") -> dict[str, Any]:
    path = Path(manifest.__file__).parent / "manifests" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def wrong_lines(changed: object) -> list[str]:
    with pytest.raises(ModelError, match=r"here\.json does not describe a model") as caught:
        manifest.parse(json.dumps(changed), "here.json")
    assert caught.value.saw is not None
    return caught.value.saw.splitlines()


def test_the_models_are_known() -> None:
    assert manifest.names() == ("dlib", "facenet", "mtcnn", "mtcnn_reference", "sface", "yunet")


@pytest.mark.parametrize("name", manifest.names())
def test_every_manifest_can_be_read_and_handed_to_another_process(name: str) -> None:
    one = manifest.load(name)
    assert one.name == name
    assert pickle.loads(pickle.dumps(one)) == one
    for file in one.files:
        if file.source is None:
            assert store.is_there(file, Path("nowhere")), f"{file.name} must come with the program"
            continue
        assert file.source.conversion is None or file.source.conversion in CONVERSIONS
        assert "==" in file.source.wheel
        assert file.sha256 != file.source.sha256 or file.source.conversion is None
    if one.role == "embedder":
        assert one.embedding_dim
        assert one.crop
        assert one.files[0].size_wh
        assert all(0 < x < one.files[0].size_wh[0] and 0 < y < one.files[0].size_wh[1] for x, y in one.crop.template)
        assert one.match_threshold
        assert [file.part for file in one.files] == ["net"]


def test_no_two_files_have_one_name() -> None:
    files = [file.name for name in manifest.names() for file in manifest.load(name).files]
    assert len(files) == len(set(files))


def test_the_fields_arrive() -> None:
    one = content()
    entry = one["files"][0]
    entry["int8"] = {"name": "a_int8.onnx", "sha256": "1" * 64, "ranges": "a"}
    one["scale"] = [1, 2, 3.5]
    read = manifest.parse(json.dumps(one), "here.json")
    assert read.file("net") == ModelFile(
        "net",
        "sface.onnx",
        entry["sha256"],
        (112, 112),
        "data",
        {"embedding": "fc1"},
        Source(**entry["source"]),
        QuantisedFile("a_int8.onnx", "1" * 64, "a"),
    )
    assert read.crop is not None
    assert read.crop.name == "arcface112"
    assert read.crop.template[0] == (38.2946, 51.6963)
    assert read.scores == Scores(0.993, 0.97)
    assert (read.embedding_dim, read.mean, read.scale, read.layout, read.colour) == (
        128,
        (0.0, 0.0, 0.0),
        (1.0, 2.0, 3.5),
        "NCHW",
        "RGB",
    )


def test_a_file_may_round_itself_and_a_manifest_may_tell_figures() -> None:
    one = content()
    assert not manifest.parse(json.dumps(one), "here.json").files[0].pairs
    assert manifest.parse(json.dumps(one), "here.json").figures == {}
    one["files"][0] |= {"pairs": True, "source": None, "int8": None}
    one["figures"] = {"ap_20": 0.9, "faces": 3}
    read = manifest.parse(json.dumps(one), "here.json")
    assert read.files[0].pairs
    assert read.files[0].has_int8
    assert read.files[0].source is None
    assert read.figures == {"ap_20": 0.9, "faces": 3.0}
    one["files"][0]["int8"] = {"name": "a_int8.onnx", "sha256": "1" * 64, "ranges": "a"}
    one["figures"] = {"ap_20": "0.9"}
    assert wrong_lines(one) == [
        "files[0].pairs: must be false where int8 names another file, is True",
        "figures: must be an object of numbers, is {'ap_20': '0.9'}",
    ]


def test_the_space_depends_on_the_file_and_on_how_faces_are_cut_out_and_not_on_the_precision() -> None:
    def space(change: Callable[[dict[str, Any]], object]) -> str:
        one = content()
        change(one)
        return manifest.parse(json.dumps(one), "here.json").embedding_space

    as_it_is = space(lambda one: None)
    assert re.fullmatch("sface@sha256:[0-9a-f]{12}", as_it_is)
    twin = {"name": "a_int8.onnx", "sha256": "1" * 64, "ranges": "a"}
    assert space(lambda one: one["files"][0].update(int8=twin)) == as_it_is
    assert space(lambda one: one.update(match_threshold=0.9, notes="others")) == as_it_is
    assert space(lambda one: one["files"][0].update(sha256="1" * 64)) != as_it_is
    assert space(lambda one: one["crop"]["template"][0].reverse()) != as_it_is
    assert space(lambda one: one.update(colour="BGR")) != as_it_is


def test_what_somebody_brings_need_not_tell_its_story() -> None:
    one = content()
    for key in ("name", "title", "licence", "origin", "notes", "scores"):
        del one[key]
    del one["files"][0]["source"]
    brought = manifest.parse(json.dumps(one), "here.json", brought_as="mine")
    assert (brought.name, brought.licence, brought.files[0].source) == ("mine", "not told", None)
    told = {line.split(":")[0].split(".")[0] for line in wrong_lines(one)}
    assert told == {"name", "title", "licence", "origin", "notes", "scores"}


def test_all_wrong_fields_are_told_at_once() -> None:
    one = content()
    one |= {"role": "embeder", "mean": "127", "embedding_dim": 0, "collour": "RGB"}
    del one["colour"]
    one["files"][0]["sha256"] = "abc"
    one["files"][0]["name"] = "../sface.onnx"
    one["files"][0]["size_wh"] = [112]
    one["files"][0]["source"]["wheel"] = ""
    lines = wrong_lines(one)
    for start in (
        "role: must be detector or embedder or asset, is 'embeder'",
        "mean: must be a number or a list of three, is '127'",
        "colour: must be RGB or BGR, is missing",
        "collour: is not a field",
        "files[0].sha256: must be 64 hexadecimal digits, is 'abc'",
        "files[0].name: must be a file name without folders, is '../sface.onnx'",
        "files[0].size_wh: must be [width, height] or null, is [112]",
        "files[0].source.wheel: must be a text that is not empty, is ''",
    ):
        assert start in lines
    # Fields that only an embedder has are not fields of what is none.
    assert "embedding_dim: is not a field" in lines


@pytest.mark.parametrize("field", ["embedding_dim", "crop", "match_threshold"])
def test_an_embedder_needs_its_fields(field: str) -> None:
    one = content()
    del one[field]
    assert wrong_lines(one)[0].startswith(f"{field}: must be")


@pytest.mark.parametrize("template", [None, [], [[1, 2]] * 4, [[1, 2]] * 4 + [[1, "2"]], [[1, 2]] * 4 + [[1]]])
def test_a_crop_needs_five_points(template: object) -> None:
    one = content()
    one["crop"]["template"] = template
    assert wrong_lines(one) == [f"crop.template: must be 5 points [x, y], is {template!r}"]


@pytest.mark.parametrize("whole", [[], 3, None, "sface"])
def test_what_is_no_object_is_refused(whole: object) -> None:
    assert wrong_lines(whole)[0] == f"the whole: must be an object, is {whole!r}"


def test_a_list_of_files_must_not_be_empty() -> None:
    assert wrong_lines(content() | {"files": []}) == ["files: must be a list that is not empty, is []"]


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ModelError, match=r"here\.json is not JSON"):
        manifest.parse("{", "here.json")


def test_an_unknown_model_is_refused_and_the_known_are_told() -> None:
    with pytest.raises(ModelError, match="no model of that name") as caught:
        manifest.load("mtcn")
    assert caught.value.fix == "Known models: dlib, facenet, mtcnn, mtcnn_reference, sface, yunet."


def test_a_part_that_a_model_does_not_have() -> None:
    assert manifest.load("mtcnn").file("rnet").size_wh == (24, 24)
    with pytest.raises(KeyError, match="mtcnn has no part qnet"):
        manifest.load("mtcnn").file("qnet")
