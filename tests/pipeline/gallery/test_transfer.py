from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from pipeline.gallery.folder import open_edge
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.memory import MemoryGallery
from pipeline.gallery.opening import open_gallery
from pipeline.gallery.transfer import export, import_into

SPACE = "sface@sha256:aa"
DIM = 16


def filled(space: str = SPACE, dim: int = DIM) -> MemoryGallery:
    random = np.random.default_rng(3)
    gallery = MemoryGallery(space=space, dim=dim)
    cutout = Cutout(b"\xff\xd8face", np.arange(10, dtype=np.float32).reshape(5, 2))
    for name in ("Ann", "Zoë \u2028", None):
        for n in range(3):
            vector = random.normal(size=dim).astype(np.float32)
            if name != "Zoë \u2028":
                gallery.add(name, [Picture(vector, f"{name}{n}", 0.5, cutout if n else None, "a.jpg")])
            else:
                gallery.add("Zoë", [Picture(vector, f"{name}{n}", 0.5, None, "line\u2028break.jpg")])
    return gallery


def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    source = filled()
    assert export(source, tmp_path / "out") == 9
    gallery = open_edge(tmp_path / "gallery", space=SPACE, dim=DIM)
    report = import_into(gallery, tmp_path / "out")
    assert (report.new, report.already) == (9, 0)
    assert gallery.content_hash() == source.content_hash()
    assert export(gallery, tmp_path / "again") == 9
    assert (tmp_path / "again" / "people.jsonl").read_bytes() == (tmp_path / "out" / "people.jsonl").read_bytes()
    np.testing.assert_allclose(*(np.load(tmp_path / where / "vectors.npy") for where in ("out", "again")), atol=1e-6)
    again = import_into(gallery, tmp_path / "out")
    assert (again.new, again.already) == (0, 9)
    gallery.close()


def test_other_tools_can_read_it(tmp_path: Path) -> None:
    source = filled()
    export(source, tmp_path / "out")
    first, *lines = (tmp_path / "out" / "people.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    assert json.loads(first) == {"format": "facewire gallery", "version": 1, "space": SPACE, "dim": DIM}
    rows = np.load(tmp_path / "out" / "vectors.npy")
    assert (rows.shape, rows.dtype) == ((9, DIM), np.float32)
    for text, row, kept in zip(lines, rows, source.kept(), strict=True):
        line = json.loads(text)
        assert (line["id"], line["person"]) == (kept.id, kept.name)
        np.testing.assert_array_equal(row, kept.picture.embedding)
        assert (tmp_path / "out" / "crops" / f"{kept.id}.jpg").exists() == (kept.picture.cutout is not None)


def test_an_export_replaces_an_export_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years", encoding="utf-8")
    with pytest.raises(GalleryError, match="write over"):
        export(filled(), tmp_path / "mine")
    export(filled(), tmp_path / "out")
    smaller = MemoryGallery(space=SPACE, dim=DIM)
    assert export(smaller, tmp_path / "out") == 0
    assert np.load(tmp_path / "out" / "vectors.npy").shape == (0, DIM)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_an_export_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(filled(), tmp_path / "out")
    before = (tmp_path / "out" / "people.jsonl").read_bytes()

    def full(*args: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.gallery.transfer.shutil.copyfileobj", full)
    with pytest.raises(GalleryError, match="No space left"):
        export(MemoryGallery(space=SPACE, dim=DIM), tmp_path / "out")
    assert (tmp_path / "out" / "people.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def damage_line(folder: Path, number: int, text: str) -> None:
    lines = (folder / "people.jsonl").read_text(encoding="utf-8").split("\n")
    lines[number - 1] = text
    (folder / "people.jsonl").write_text("\n".join(lines), encoding="utf-8")


def changed(folder: Path, number: int, **values: Any) -> str:
    line = json.loads((folder / "people.jsonl").read_text(encoding="utf-8").split("\n")[number - 1])
    return json.dumps({**line, **values})


def test_damaged_lines_are_told_by_number_and_nothing_is_imported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(filled(), out)
    damage_line(out, 3, "{")
    damage_line(out, 4, changed(out, 4, id="../../../etc/cron.d/x"))
    damage_line(out, 5, changed(out, 5, person="A/B"))
    damage_line(out, 6, changed(out, 6, quality="high"))
    damage_line(out, 7, changed(out, 7, landmarks=[[1, 2]]))
    gallery = MemoryGallery(space=SPACE, dim=DIM)
    with pytest.raises(GalleryError) as caught:
        import_into(gallery, out)
    text = str(caught.value)
    assert [f"line {n}:" in text for n in range(2, 11)] == [False, True, True, True, True, True, False, False, False]
    assert gallery.count() == 0


@pytest.mark.parametrize("what", ["twice", "vector", "crop", "rows", "no rows", "pickle", "first", "folder"])
def test_other_damage(tmp_path: Path, what: str) -> None:
    out = tmp_path / "out"
    source = filled()
    export(source, out)
    rows: NDArray[np.float32] = np.load(out / "vectors.npy")
    if what == "twice":
        damage_line(out, 3, (out / "people.jsonl").read_text(encoding="utf-8").split("\n")[3])
    elif what == "vector":
        rows[4] = np.nan
        np.save(out / "vectors.npy", rows)
    elif what == "crop":
        next((out / "crops").iterdir()).unlink()
    elif what == "rows":
        np.save(out / "vectors.npy", rows[:-1])
    elif what == "no rows":
        (out / "vectors.npy").write_bytes(b"")
    elif what == "pickle":
        np.save(out / "vectors.npy", np.array([{"a": 1}] * 9, dtype=object))
    elif what == "first":
        damage_line(out, 1, json.dumps({"format": "something else", "version": 1, "space": SPACE, "dim": DIM}))
    else:
        out = tmp_path / "nowhere"
    gallery = MemoryGallery(space=SPACE, dim=DIM)
    with pytest.raises(GalleryError, match=r"damaged|no export"):
        import_into(gallery, out)
    assert gallery.count() == 0


def test_another_space_or_a_newer_version_is_refused(tmp_path: Path) -> None:
    export(filled(), tmp_path / "out")
    for space, dim in (("facenet@sha256:bb", DIM), (SPACE, DIM * 2)):
        with pytest.raises(GalleryError, match=f"(?s){space}"):
            import_into(MemoryGallery(space=space, dim=dim), tmp_path / "out")
    damage_line(tmp_path / "out", 1, changed(tmp_path / "out", 1, version=2))
    with pytest.raises(GalleryError, match="newer version"):
        import_into(MemoryGallery(space=SPACE, dim=DIM), tmp_path / "out")


class Filling(MemoryGallery):
    """Its disk is full after the first portion."""

    def restore(self, pictures: Any) -> int:
        if self.count() > 1:
            raise GalleryError("The disk is too full to change the gallery; nothing was changed.")
        return super().restore(pictures)


def test_a_disk_that_fills_up_leaves_no_half_of_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = filled()
    export(source, tmp_path / "out")
    monkeypatch.setattr("pipeline.gallery.transfer._PORTION", 4)
    gallery = Filling(space=SPACE, dim=DIM)
    MemoryGallery.restore(gallery, [next(source.kept())])
    with pytest.raises(GalleryError, match="full"):
        import_into(gallery, tmp_path / "out")
    assert [kept.id for kept in gallery.kept()] == [next(source.kept()).id]


def test_a_backup_while_the_program_runs(tmp_path: Path, session_holder: Any) -> None:
    path = tmp_path / "gallery"
    source = filled()
    gallery = open_edge(path, space=SPACE, dim=DIM)
    gallery.restore(list(source.kept()))
    gallery.close()
    session_holder.tell("open", path, SPACE, DIM)
    desk = open_gallery(path, space=SPACE, dim=DIM)
    assert export(desk, tmp_path / "out") == 9
    assert desk.delete("Ann") == 3
    assert import_into(desk, tmp_path / "out").new == 3
    assert desk.content_hash() == source.content_hash()
    desk.close()
    session_holder.tell("close", path)
