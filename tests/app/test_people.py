from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands import main
from checkpoints.errors import GalleryError
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.event_log import EventLog
from pipeline.gallery.gallery import Cutout, Picture
from pipeline.gallery.opening import open_gallery
from pipeline.gallery.sightings import Sighting, Sightings
from pipeline.gallery.unknowns import Shot, Unknowns

KNOWN = embedder_model(EngineOptions()).known
SPACE, DIM = KNOWN.embedding_space, KNOWN.embedding_dim or 0
TIME = "2026-01-01T12:00:00.000Z"


def picture(place: int, name: str) -> Picture:
    embedding = np.random.default_rng(place).normal(size=DIM).astype(np.float32)
    cutout = Cutout(b"\xff\xd8jpeg", np.zeros((5, 2), np.float32))
    return Picture(embedding / np.linalg.norm(embedding), name, 0.5, cutout, f"{name}.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gallery = open_gallery(tmp_path / "gallery", space=SPACE, dim=DIM)
    gallery.add("Zoë", [picture(0, "z")])
    gallery.add("Ann Lee", [picture(n, f"a{n}") for n in (1, 2)])
    gallery.close()
    return tmp_path / "gallery"


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def it(*words: object, code: int = 0) -> str:
        assert main([*map(str, words), "--gallery", str(folder)]) == code, capsys.readouterr().err
        out = capsys.readouterr()
        return out.out if code == 0 else out.err

    return it


def test_everybody_is_listed_by_name(run: Any) -> None:
    lines = run("gallery", "list").splitlines()
    assert [line.split()[0] for line in lines] == ["name", "Ann", "Zoë"]
    assert lines[1].startswith("Ann Lee         2  20")
    assert [one["name"] for one in json.loads(run("gallery", "list", "--json"))] == ["Ann Lee", "Zoë"]


def test_listing_makes_no_gallery(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "list", "--gallery", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == f"Nobody is enrolled in {tmp_path / 'none'}.\n"
    assert not (tmp_path / "none").exists()


def test_a_person_is_shown_with_the_pictures_and_past_sightings(run: Any, folder: Path) -> None:
    Sightings(folder).tell(Sighting("1", "u1", "door", "door/3/4", TIME, TIME, "Ann Lee"))
    text = run("gallery", "show", "Ann Lee")
    assert "a1.jpg" in text and "a2.jpg" in text and "door/3/4" in text
    shown = json.loads(run("gallery", "show", "Ann Lee", "--json"))
    assert {one["source"] for one in shown["pictures"]} == {"a1.jpg", "a2.jpg"}
    assert [one["camera"] for one in shown["sightings"]] == ["door"]


def test_a_new_name_goes_with_the_sightings(run: Any, folder: Path) -> None:
    Sightings(folder).tell(Sighting("1", "u1", "door", "door/3/4", TIME, TIME, "Zoë"))
    run("gallery", "rename", "Zoë", "Zoe")
    assert "Zoe" in run("gallery", "list")
    assert len(Sightings(folder).of("Zoe")) == 1
    assert "Somebody else has this name" in run("gallery", "rename", "Zoe", "Ann Lee", code=2)
    assert "name of a person" in run("gallery", "rename", "Zoe", "a/b", code=2)


def test_two_names_become_one_person(run: Any) -> None:
    assert "pictures moved: 1, pictures of Ann Lee: 3" in run("gallery", "merge", "Zoë", "Ann Lee")
    assert "Zoë" not in run("gallery", "list")
    assert "itself" in run("gallery", "merge", "Ann Lee", "Ann Lee", code=2)


@pytest.mark.parametrize("words", [("show", "Anne Lee"), ("delete", "Anne Lee"), ("rename", "Anne Lee", "B")])
def test_nobody_is_an_error_with_a_hint(run: Any, words: tuple[str, ...]) -> None:
    assert "did you mean Ann Lee?" in run("gallery", *words, code=2)


def test_without_a_gallery_there_is_nobody_to_delete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "delete", "Ann", "--gallery", str(tmp_path / "none")]) == 2
    assert "no gallery yet" in capsys.readouterr().err


def test_deleting_erases_pictures_sightings_and_events_and_says_so(run: Any, folder: Path, tmp_path: Path) -> None:
    events = tmp_path / "e.jsonl"
    log = EventLog(events)
    for name in ("Ann Lee", None, "Zoë"):
        log.append({"type": "identity", "camera": "a", "track": 1 if name != "Zoë" else 2, "name": name})
    log.close()
    Sightings(folder).tell(Sighting("1", "u1", "door", "door/3/4", TIME, TIME, "Ann Lee"))
    said = json.loads(run("gallery", "delete", "Ann Lee", "--events", events, "--json"))
    assert said == {
        "name": "Ann Lee",
        "pictures": 2,
        "cutouts": 2,
        "sightings": 1,
        "events": 2,
        "older": False,
        "purged": True,
    }
    assert [json.loads(line)["name"] for line in events.read_text().splitlines()] == ["Zoë"]
    assert len(list((folder / "cutouts").glob("*.jpg"))) == 1
    assert Sightings(folder).all() == []
    assert "nobody of this name" in run("gallery", "delete", "Ann Lee", "--events", events, code=2)


def test_what_is_deleted_is_not_in_the_files_any_more(run: Any, folder: Path) -> None:
    run("gallery", "delete", "Ann Lee")
    gone = picture(1, "a1").embedding[:8].tobytes()
    stays = picture(0, "z").embedding[:8].tobytes()
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not [1 for content in contents if b"Ann Lee" in content or gone in content]
    assert [1 for content in contents if stays in content]
    shown = json.loads(run("gallery", "show", "Zoë", "--json"))
    assert [one["cutout"] for one in shown["pictures"]] == [True]
    assert "with its 1 pictures" in run("gallery", "purge")
    assert not {path.name for path in folder.iterdir()} & {"moving", "migrated", "before-migration"}


def test_deleting_says_when_no_events_were_looked_through(run: Any) -> None:
    text = run("gallery", "delete", "Zoë")
    assert text.startswith("Zoë is forgotten; erased: 1 pictures with their embeddings, 1 cut-outs, 0 sightings, 0 ev")
    assert "no file of events was named" in text


@pytest.mark.parametrize(("answer", "left"), [("n", 2), ("", 2), ("y", 1)])
def test_somebody_at_a_terminal_is_asked(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    run("gallery", "delete", "Zoë", code=0 if answer == "y" else 1)
    assert len(json.loads(run("gallery", "list", "--json"))) == left


def test_with_yes_nobody_is_asked(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail("asked"))
    run("gallery", "delete", "Zoë", "--yes")


def test_an_export_can_be_imported_where_there_is_no_gallery(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("gallery", "export", tmp_path / "out") == f"3 pictures in {tmp_path / 'out'}\n"
    other = ["--gallery", str(tmp_path / "other")]
    assert main(["gallery", "import", str(tmp_path / "out"), *other]) == 0
    assert "3 pictures taken" in capsys.readouterr().out
    assert main(["gallery", "import", str(tmp_path / "out"), *other]) == 0
    assert "0 pictures taken" in capsys.readouterr().out
    assert main(["gallery", "import", str(tmp_path), "--gallery", str(tmp_path / "third")]) == 2
    assert "no export" in capsys.readouterr().err
    assert not (tmp_path / "third").exists()


def test_each_backup_is_a_folder_of_its_own(run: Any, tmp_path: Path) -> None:
    run("gallery", "backup", tmp_path / "deep" / "backups")
    (made,) = (tmp_path / "deep" / "backups").iterdir()
    assert (made / "people.jsonl").is_file()
    assert made.name.startswith("gallery-20")


def test_calibration_tells_what_it_costs_and_is_kept_for_the_program(run: Any, folder: Path) -> None:
    text = run("gallery", "calibrate")
    for word in ("threshold", "false names", "misses", "2 people, 3 pictures"):
        assert word in text
    kept = json.loads((folder / "calibration.json").read_text())
    assert kept["rate"] == 0.001
    strict = json.loads(run("gallery", "calibrate", "--rate", "0.0001", "--json"))
    assert strict["threshold"] > kept["threshold"]
    assert json.loads((folder / "calibration.json").read_text()) == kept
    assert "set FALSE_NAMES=0.0001" in run("gallery", "calibrate", "--rate", "0.0001")
    assert "out of range" in run("gallery", "calibrate", "--rate", "2", code=2)


def test_calibration_asks_for_the_right_embedder(run: Any) -> None:
    assert "--embedder" in run("gallery", "calibrate", "--embedder", "facenet", code=2)


def test_the_doctor_tells_of_the_gallery(run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import doctor

    monkeypatch.setenv("GALLERY_DIR", str(folder))
    text = doctor._gallery()
    assert "2 people, 3 pictures" in text
    assert "for 0.10% false names" in text
    assert "0 unknown people, kept for 30 days" in text
    monkeypatch.setenv("MATCH_THRESHOLD", "0.7")
    assert "threshold 0.7, set by hand" in doctor._gallery()
    assert doctor._server() == "none: the gallery is on this disk"
    monkeypatch.setenv("QDRANT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QDRANT_TIMEOUT", "1")
    with pytest.raises(GalleryError):
        doctor._server()


def test_strangers_are_listed_and_erased(run: Any, folder: Path) -> None:
    gallery = open_gallery(folder, space=SPACE, dim=DIM)
    gallery.add(None, [picture(8, "s8"), picture(9, "s9")])
    gallery.close()
    assert "2 pictures of strangers" in run("gallery", "list")
    listed = json.loads(run("strangers", "list", "--json"))
    assert {one["source"] for one in listed} == {"s8.jpg", "s9.jpg"}
    assert "no such picture" in run("strangers", "delete", "nonsense", code=2)
    assert "erased: 1" in run("strangers", "delete", listed[0]["id"])
    assert "erased: 1" in run("strangers", "delete")
    assert run("strangers", "list") == "There are no strangers.\n"


@pytest.fixture
def cluster(folder: Path) -> str:
    store = Unknowns(folder, near=0.5)
    face = picture(5, "u")
    shots = [Shot(face.embedding, TIME, 0.8, Cutout(b"jpeg", np.zeros((5, 2), np.float32)))]
    return store.keep(Sighting("1", "", "door", "door/3/4", TIME, TIME), shots, SPACE)


def test_an_unknown_person_is_promoted(run: Any, cluster: str, folder: Path, tmp_path: Path) -> None:
    assert cluster in run("unknowns", "list")
    assert "door/3/4" in run("unknowns", "show", cluster, "--pictures", tmp_path / "pictures")
    assert len(list((tmp_path / "pictures").glob("*.jpg"))) == 1
    assert "name of a person" in run("unknowns", "promote", cluster, "a/b", code=2)
    assert "1 pictures; past sightings with this name: 1" in run("unknowns", "promote", cluster, "Eve")
    assert "door/3/4" in run("gallery", "show", "Eve")
    assert json.loads(run("unknowns", "list", "--json")) == []
    assert "no such unknown" in run("unknowns", "show", cluster, code=2)


def test_an_unknown_person_becomes_one_of_the_known(run: Any, cluster: str) -> None:
    assert "added to the 2 that there were" in run("unknowns", "promote", cluster, "Ann Lee")


def test_an_unknown_person_becomes_a_stranger(run: Any, cluster: str, folder: Path) -> None:
    assert "is a stranger now: 1 pictures; sightings erased: 1" in run("unknowns", "stranger", cluster)
    assert len(json.loads(run("strangers", "list", "--json"))) == 1
    assert run("unknowns", "list") == "Unknown people were not seen.\n"


def test_an_unknown_person_is_erased(run: Any, cluster: str, folder: Path) -> None:
    assert "1 faces with their cut-outs, 1 sightings" in run("unknowns", "delete", cluster)
    assert Sightings(folder).all() == []


def test_a_cluster_of_another_embedder_cannot_be_promoted(run: Any, folder: Path) -> None:
    store = Unknowns(folder, near=0.5)
    shots = [Shot(np.eye(4, dtype=np.float32)[0], TIME, 0.8, None)]
    other = store.keep(Sighting("1", "", "door", "e", TIME, TIME), shots, "another")
    assert "another embedder" in run("unknowns", "promote", other, "Eve", code=2)
    assert other in run("unknowns", "list")
