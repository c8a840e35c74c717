"""It is written down who has changed what, and forgotten who the deleted people were."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audit import Audit
from app.commands import main
from checkpoints.errors import OutputError
from checkpoints.sealed import Seal
from engines.models import embedder_model
from engines.options import EngineOptions
from pipeline.gallery.gallery import Picture
from pipeline.gallery.opening import open_gallery

KNOWN = embedder_model(EngineOptions()).known
ME = {"via": "command", "user": "me"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    gallery = open_gallery(tmp_path / "gallery", space=KNOWN.embedding_space, dim=KNOWN.embedding_dim or 0)
    for place, name in enumerate(("Ada Lovelace", "Grace", None)):
        gallery.add(name, [Picture(np.eye(KNOWN.embedding_dim, dtype=np.float32)[place], f"h{place}", 0.5)])
    gallery.close()

    def it(*words: object) -> str:
        assert main([*map(str, words)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return it


def actions(run: Any, *words: str) -> list[tuple[str, str | None]]:
    return [(one["action"], one["person"]) for one in json.loads(run("audit", "--json", *words))]


def test_what_commands_do_is_told_with_who_did_it(run: Any, tmp_path: Path) -> None:
    run("gallery", "rename", "Ada Lovelace", "Ada King")
    run("strangers", "delete")
    run("gallery", "export", tmp_path / "copy")
    assert actions(run) == [("renamed", "Ada Lovelace"), ("erased strangers", None), ("exported", None)]
    assert actions(run, "--person", "Ada King") == [("renamed", "Ada Lovelace")]
    (first, *_) = json.loads(run("audit", "--json"))
    assert first["by"]["via"] == "command" and first["by"]["user"]
    assert "renamed" in run("audit")
    assert (tmp_path / "gallery" / "audit.jsonl").stat().st_mode & 0o077 == 0


def test_a_deleted_person_is_in_no_line_any_more_and_the_deed_is(run: Any, tmp_path: Path) -> None:
    run("gallery", "rename", "Ada Lovelace", "Ada King")
    run("gallery", "rename", "Grace", "Ada Lovelace")
    run("gallery", "merge", "Ada Lovelace", "Ada King")
    run("gallery", "delete", "Ada King")
    text = (tmp_path / "gallery" / "audit.jsonl").read_text()
    assert "Ada King" not in text
    told = actions(run)
    assert [action for action, _ in told] == ["renamed", "renamed", "merged", "deleted"]
    instead = told[-1][1]
    assert instead is not None and instead.startswith("erased-")
    assert [one["into"] for one in json.loads(run("audit", "--json"))[:3:2]] == [instead, instead]


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    book = Audit(path, ME, days=30)
    for days in (40, 31, 29):
        time = (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()
        with path.open("a") as file:
            file.write(json.dumps({"t": time, "by": ME, "action": f"{days}", "person": None}) + "\n")
    book.tell("now")
    assert [one["action"] for one in book.entries()] == ["29", "now"]


def test_it_is_encrypted_when_there_is_a_key_and_damage_costs_one_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    book = Audit(path, ME, 30, Seal((bytes(32),)))
    for person in ("Ada", "Grace", "Alan"):
        book.tell("enrolled", person=person)
    lines = path.read_bytes().splitlines()
    assert not any(name in path.read_bytes() for name in (b"Ada", b"Grace", b"enrolled"))
    path.write_bytes(b"\n".join([lines[0], lines[1][:-9] + b"AAAAAAAA=", lines[2]]) + b"\n")
    instead = book.forget("Ada")
    assert [one["person"] for one in book.entries()] == [instead, "Alan"]
    assert len(path.read_bytes().splitlines()) == 3, "what is damaged may be mended from a backup"


def test_what_cannot_be_written_down_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(OutputError, match="It was done"):
        Audit(tmp_path / "audit.jsonl", ME, 30).tell("enrolled", person="Ada")
