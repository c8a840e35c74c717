"""Who works through an archive: Ray Data, on this machine or on a cluster. Of the archive's files the only one that
knows it.

What goes to workers and comes back is text, so that it can be looked at, and so that nothing rests on how objects are
pickled.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import ray
import ray.data
from ray.exceptions import RayError

from app import privacy
from app.archive.indexing import Outcome, Surveyed
from app.archive.recordings import File, Origin, Part, Recording
from app.archive.sighting import Point, packed, unpacked
from app.archive.sources import opened
from app.archive.surveying import survey
from app.archive.watching import Eyes, Watcher
from checkpoints.errors import ArchiveError, SourceError, UserError
from engines import backends

_OBJECTS_BYTES = 256 << 20  # what is sent is small: paths, and some kilobytes for each face
# A recording that kills whoever watches it (a decoder's bug, no memory) is tried once more, and then left out.
_TRIES = 1
_ANSWER_S = 5.0


class Watching(Protocol):
    def watch(self, part: Part, content: BinaryIO | None = None) -> list[Point]: ...


class Crew:
    """A context: Ray runs from the first work in it on, and nothing of it is left afterwards.

    address  of a cluster; None: this machine alone
    workers  how many watch at once; None: as many as there are processors
    watching who watches, made once in each worker's process
    """

    def __init__(
        self,
        eyes: Eyes,
        *,
        address: str | None,
        workers: int | None,
        watching: Callable[[Eyes], Watching] = Watcher,
    ) -> None:
        self._eyes = eyes
        self._address = address
        self._workers = workers
        self._watching = watching

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ray.shutdown()

    @property
    def workers(self) -> int:
        if self._workers is not None:
            return self._workers
        self.begin()
        return max(1, int(ray.cluster_resources().get("CPU", 1)) // self._eyes.engines.threads)

    def surveyed(self, files: Sequence[tuple[File, Origin]]) -> Iterator[Surveyed]:
        self.begin()
        tasks = [json.dumps([asdict(file), asdict(origin)]) for file, origin in files]
        for told in self._told(tasks, lambda data: data.map(_survey, num_cpus=1)):
            yield Surveyed(told["file"], Recording(**told["found"]) if told["found"] else None, told["why"])

    def watched(self, parts: Sequence[Part]) -> Iterator[Outcome]:
        self.begin()
        tasks = [json.dumps(asdict(part)) for part in parts]
        workers = min(self.workers, len(tasks))
        # More than the largest machine has would be waited for for ever.
        largest = max(float(node["Resources"].get("CPU", 1)) for node in ray.nodes())
        share: dict[str, Any] = {"num_cpus": min(self._eyes.engines.threads, largest)}
        gpus = float(ray.cluster_resources().get("GPU", 0))
        if gpus and backends.choose(self._eyes.engines.backend) == "tensorrt":
            share["num_gpus"] = min(1.0, gpus / workers)

        def watching(data: ray.data.Dataset) -> ray.data.Dataset:
            warnings.filterwarnings("ignore", "`ray_remote_args_fn`", DeprecationWarning)  # nothing replaces it yet
            return data.map_batches(
                _Worker,
                fn_constructor_args=(self._watching, self._eyes),
                batch_size=1,
                # One at a time: who dies takes nobody else's part along.
                compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
                ray_remote_args_fn=lambda: {"max_task_retries": _TRIES},
                **share,
            )

        for told in self._told(tasks, watching):
            points = tuple(unpacked(told["points"])) if told["points"] else None
            yield Outcome(told["part"], points, told["why"], told["took_s"])

    def begin(self) -> None:
        """Starts Ray, which takes its seconds; else it is started when there is something to do."""
        if ray.is_initialized():
            return
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # else it warns of what Ray Data does by itself
        alone = self._address is None
        if self._address is not None:
            _check_address(self._address)
        try:
            with _unsaid():
                ray.init(
                    address=self._address or "local",
                    include_dashboard=False if alone else None,
                    object_store_memory=_OBJECTS_BYTES if alone else None,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (ConnectionError, ValueError, RuntimeError, RayError) as error:
            raise _unreachable(self._address or "this machine", str(error).partition("\n")[0]) from error
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_errored_blocks = -1  # who waits for them is told what did not come back

    @staticmethod
    def _told(tasks: Sequence[str], work: Callable[[ray.data.Dataset], ray.data.Dataset]) -> Iterator[dict[str, Any]]:
        """Each task is a block of its own, so that its result comes as soon as it is there."""
        data = ray.data.from_items([{"task": task} for task in tasks], override_num_blocks=len(tasks))
        try:
            for batch in work(data).iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
                for told in batch["told"]:
                    yield json.loads(str(told))
        except RayError as error:
            raise _cause(error) from error


def _check_address(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise _unreachable(address, "it is no HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, why: str) -> ArchiveError:
    return ArchiveError(
        "Ray cannot be reached, or not be started.",
        saw=f"{address}: {why}",
        fix="start it on each machine with `python -m app.main fleet node`, index on one of them, and see that all of "
        "them have the same key (FLEET_KEY, or DATA_DIR/fleet/cluster.key)",
    )


@contextmanager
def _unsaid() -> Iterator[None]:
    """What Ray's own processes say on the terminal while they start; what goes wrong is raised."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


class _Worker:
    """In a process of its own."""

    def __init__(self, watching: Callable[[Eyes], Watching], eyes: Eyes) -> None:
        privacy.begin()
        self._watcher = watching(eyes)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        return {"told": [self._watch(str(task)) for task in batch["task"]]}

    def _watch(self, task: str) -> str:
        said = json.loads(task)
        part = Part(Recording(**said["recording"]), said["from_s"], said["to_s"])
        told: dict[str, Any] = {"part": part.id, "points": "", "why": ""}
        began_s = time.monotonic()
        try:
            with opened(part.recording.file) as content:
                told["points"] = packed(self._watcher.watch(part, content))
        except (SourceError, OSError) as error:
            told["why"] = _in_words(error)
        return json.dumps({**told, "took_s": round(time.monotonic() - began_s, 3)})


def _survey(row: dict[str, str]) -> dict[str, str]:
    file, origin = json.loads(row["task"])
    told: dict[str, Any] = {"file": file["place"], "found": None, "why": ""}
    try:
        told["found"] = asdict(survey(File(**file), Origin(**origin)))
    except SourceError as error:
        told["why"] = _in_words(error)
    return {"told": json.dumps(told)}


def _in_words(error: Exception) -> str:
    if isinstance(error, UserError):
        return f"{error.what} {error.saw or ''}".strip()
    return str(error)


def _cause(error: BaseException) -> BaseException:
    """What went wrong in a worker, when a person can put it right."""
    seen: BaseException | None = error
    while seen is not None:
        for one in (seen, getattr(seen, "cause", None)):
            if isinstance(one, UserError):
                return one
        seen = seen.__cause__
    return error
