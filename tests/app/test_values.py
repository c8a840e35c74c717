from __future__ import annotations

from pathlib import Path

import pytest

from app import values


@pytest.mark.parametrize(("text", "value"), [("1", True), ("True", True), ("on", True), ("NO", False), ("0", False)])
def test_yes_or_no(text: str, value: bool) -> None:
    assert values.yes_or_no(text) is value


@pytest.mark.parametrize("text", ["", "2", "ja"])
def test_neither_yes_nor_no(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        values.yes_or_no(text)


def test_numbers_keep_to_their_range() -> None:
    assert values.whole(1, 3)("3") == 3
    assert values.number(0, 1)("0.5") == 0.5
    for parse in (values.whole(1, 3), values.number(1, 3)):
        for text in ("0", "4", "x", "", "nan", "inf"):
            with pytest.raises(ValueError, match="valid are 1 to 3"):
                parse(text)


@pytest.mark.parametrize("text", ["1280x720", "1280X720", "1280×720", "1280 x 720"])
def test_sizes(text: str) -> None:
    assert values.size(text) == (1280, 720)


@pytest.mark.parametrize("text", ["1280", "1280x", "x", "axb", "1280x720x3", "0x0", "-5x9", "16x720", "9000x720"])
def test_not_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="size|range"):
        values.size(text)


def test_models_are_names_or_onnx_files() -> None:
    parse = values.model("mtcnn", "yunet")
    assert parse("MTCNN") == "mtcnn"
    assert parse("Models/Mine.onnx") == str(Path("Models/Mine.onnx"))
    assert parse("trained/mine.json") == str(Path("trained/mine.json"))
    with pytest.raises(ValueError, match=r"did you mean yunet\?"):
        parse("yumet")


def test_thresholds() -> None:
    assert values.thresholds("0.1, 0.2,1") == (0.1, 0.2, 1.0)
    assert values.thresholds("0.3") == (0.3, 0.3, 0.3)
    for text in ("", "0.1,0.2", "a,b,c", "0.1,0.2,1.1", "1,1,1,1"):
        with pytest.raises(ValueError, match="three numbers|valid are|not a number"):
            values.thresholds(text)


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1", "[::1]", "qdrant.example.org"])
def test_hosts(text: str) -> None:
    assert values.host(text) == text


@pytest.mark.parametrize("text", ["http://localhost", "a b", "localhost/x", ""])
def test_not_hosts(text: str) -> None:
    with pytest.raises(ValueError, match="host"):
        values.host(text)


def test_written_is_what_is_read_back() -> None:
    assert values.size(values.written((640, 360))) == (640, 360)
    assert values.thresholds(values.written((0.6, 0.7, 1.0))) == (0.6, 0.7, 1.0)
    assert values.yes_or_no(values.written(True)) is True
    assert values.number(0, 1)(values.written(0.709)) == 0.709
    assert values.written(None) == ""
