"""The gallery on disk: Qdrant's engine within this process. The only file that knows qdrant_edge.

A gallery is a folder with `lock`, and `shard/` with Qdrant's own files and `space.json`: whose embeddings these are.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import qdrant_edge as qdrant
from numpy.typing import NDArray

from checkpoints.errors import GalleryError
from pipeline.clock import utc_iso
from pipeline.gallery.gallery import Match, Person, Picture
from pipeline.gallery.intake import fresh, unit_rows
from pipeline.gallery.lock import Lock
from pipeline.gallery.ranking import ranked

T = TypeVar("T")
_PAGE = 4096


def open_gallery(path: Path, *, space: str, dim: int) -> EdgeGallery:
    """The gallery in this folder, made when there is none, for embeddings of this space only."""
    return _opened(path, (space, dim))


def reopen_gallery(path: Path) -> EdgeGallery:
    """The gallery in this folder, whatever its space is: to look at people, not to add or search."""
    if not gallery_exists(path):
        raise GalleryError("There is no gallery yet.", saw=str(path), fix="enrol somebody: enroll NAME IMAGE…")
    return _opened(path, None)


def gallery_exists(path: Path) -> bool:
    return (path / "shard").is_dir()


class EdgeGallery:
    """Holds the gallery's lock until `close`."""

    def __init__(self, shard: qdrant.EdgeShard, lock: Lock, *, space: str, dim: int) -> None:
        self._shard = shard
        self._lock = lock
        self._space = space
        self._dim = dim

    @property
    def space(self) -> str:
        return self._space

    def add(self, name: str, pictures: Sequence[Picture]) -> int:
        known = {payload["image_hash"] for payload in self._payloads(["image_hash"], _of(name))}
        taken = fresh(name, pictures, known, space=self._space, dim=self._dim)
        if taken:
            # One operation is one record of the write-ahead log: after a crash all of it is there or nothing.
            self._update(qdrant.UpdateOperation.upsert_points([self._point(name, picture) for picture in taken]))
        return len(taken)

    def people(self) -> list[Person]:
        times: dict[str, list[str]] = {}
        for payload in self._payloads(["person", "time"]):
            times.setdefault(payload["person"], []).append(payload["time"])
        return [Person(name, len(of_name), min(of_name)) for name, of_name in sorted(times.items())]

    def delete(self, name: str) -> int:
        count: int = self._shard.count(qdrant.CountRequest(filter=_of(name)))
        if count:
            self._update(qdrant.UpdateOperation.delete_points_by_filter(_of(name)))
        return count

    def search(self, embeddings: NDArray[np.float32], limit: int = 2) -> list[list[Match]]:
        rows = unit_rows(embeddings, space=self._space, dim=self._dim)
        found: list[list[Match]] = [[] for _ in rows]
        asked = [index for index, row in enumerate(rows) if row.any()]
        points = 4 * limit
        while asked:
            again = []
            for index, hits in zip(asked, self._nearest(rows[asked], points), strict=True):
                found[index] = ranked(hits, limit)
                if len(hits) == points and not _settled(found[index], limit, worst=hits[-1][1]):
                    again.append(index)
            asked, points = again, 8 * points
        return found

    def close(self) -> None:
        self._shard.close()
        self._lock.release()

    def _nearest(self, rows: NDArray[np.float32], points: int) -> list[list[tuple[str, float]]]:
        """For each row the nearest pictures, best first, as (person, cosine)."""
        requests = [
            qdrant.QueryRequest(
                limit=points,
                query=qdrant.Query.Nearest(row.tolist()),
                with_payload=["person"],
                params=qdrant.SearchParams(exact=True),
            )
            for row in rows
        ]
        answers = self._shard.query_batch(qdrant.QueryBatchRequest(requests))
        return [[((hit.payload or {})["person"], hit.score) for hit in hits] for hits in answers]

    def _payloads(self, keys: list[str], only: qdrant.Filter | None = None) -> Iterator[dict[str, Any]]:
        offset = None
        while True:
            request = qdrant.ScrollRequest(offset=offset, limit=_PAGE, filter=only, with_payload=keys)
            records, offset = self._shard.scroll(request)
            yield from (record.payload or {} for record in records)
            if offset is None:
                return

    def _point(self, name: str, picture: Picture) -> qdrant.Point:
        payload = {
            "person": name,
            "image_hash": picture.image_hash,
            "quality": picture.quality,
            "time": utc_iso(),
            "embedding_space": self._space,
        }
        return qdrant.Point(str(uuid4()), picture.embedding.tolist(), payload)

    def _update(self, operation: qdrant.UpdateOperation) -> None:
        _tried(lambda: self._shard.update(operation), "The gallery cannot be written.")
        _tried(self._shard.flush, "The gallery cannot be written.")  # kept even if the power fails now


def _settled(matches: list[Match], limit: int, worst: float) -> bool:
    """Whether pictures that were not asked for cannot change the answer: all of them score at most `worst`."""
    return len(matches) == limit and round(worst, 6) < matches[-1].score


def _of(name: str) -> qdrant.Filter:
    return qdrant.Filter(must=[qdrant.FieldCondition("person", match=qdrant.MatchValue(name))])


def _opened(path: Path, wanted: tuple[str, int] | None) -> EdgeGallery:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            "The gallery's folder cannot be made.", saw=f"{path}: {error.strerror}", fix="choose another folder"
        ) from error
    with ExitStack() as undo:
        lock = undo.enter_context(Lock(path / "lock"))
        gallery = _loaded(path, lock, wanted)
        undo.pop_all()
    return gallery


def _loaded(path: Path, lock: Lock, wanted: tuple[str, int] | None) -> EdgeGallery:
    home = path / "shard"
    if not home.exists() and wanted is not None:
        _create(home, *wanted)
    kept = _space_of(home)
    shard = _tried(lambda: qdrant.EdgeShard.load(str(home)), "The gallery cannot be read.", home)
    if wanted is not None and kept != wanted:
        empty = shard.info().points_count == 0
        shard.close()
        if not empty:
            raise _other_space(path, kept[0], wanted[0])
        shutil.rmtree(home)
        return _loaded(path, lock, wanted)
    return EdgeGallery(shard, lock, space=kept[0], dim=kept[1])


def _create(home: Path, space: str, dim: int) -> None:
    """Made under another name and renamed, so that a gallery is never half made."""
    making = home.with_name("making")
    shutil.rmtree(making, ignore_errors=True)
    vectors = qdrant.EdgeVectorParams(size=dim, distance=qdrant.Distance.Cosine)
    # More search threads make a search of some thousand faces slower, not faster.
    config = qdrant.EdgeConfig(vectors=vectors, max_search_threads=1)
    _tried(lambda: qdrant.EdgeShard.create(str(making), config).close(), "The gallery cannot be made.", home)
    (making / "space.json").write_text(json.dumps({"space": space, "dim": dim}), encoding="utf-8")
    making.replace(home)


def _space_of(home: Path) -> tuple[str, int]:
    path = home / "space.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return str(said["space"]), int(said["dim"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged("The gallery cannot be read.", f"{path}: {error}") from error


def _other_space(path: Path, kept: str, wanted: str) -> GalleryError:
    return GalleryError(
        "The gallery was made with another embedder: its faces cannot be compared with these.",
        saw=f"{path} keeps {kept}, the embedder makes {wanted}",
        fix="use the embedder that the gallery was made with, or enrol into another gallery with --gallery DIR",
    )


def _tried(action: Callable[[], T], what: str, home: Path | None = None) -> T:
    """Qdrant raises plain Exception for all that goes wrong in its files."""
    try:
        return action()
    except Exception as error:
        raise _damaged(what, f"{home}: {error}" if home else str(error)) from error


def _damaged(what: str, saw: str) -> GalleryError:
    return GalleryError(
        what,
        saw=saw,
        fix="see that the disk is not full and the files are yours; else move the folder away and enrol again",
    )
