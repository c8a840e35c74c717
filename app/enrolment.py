"""enroll NAME IMAGE… and enroll FOLDER: from photographs to the gallery, and why some photographs are refused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from app import audit, belonging, flags, photographs, settings
from app.audit import Audit
from app.belonging import Candidate, Limits
from app.one_face import SEEN_FACE_PX, FaceEmbedder, Refused, picture_of
from app.photographs import Source
from app.square import SQUARE_PX
from checkpoints.errors import EnrolmentError
from engines.detector import Detector
from engines.load import load_detector, load_embedder
from engines.models import embedder_model
from pipeline.gallery.gallery import Gallery
from pipeline.gallery.intake import check_name
from pipeline.gallery.opening import gallery_of, optimized

_PORTION = 64  # pictures that may wait in memory, and be lost with the power, before they are kept
_LARGE = 1000  # pictures after which building the index is worth the wait


@dataclass(frozen=True, slots=True)
class Refusal:
    path: Source
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """kept    pictures that are new in the gallery
    known   pictures that had been enrolled before
    before  pictures that the person had before
    """

    name: str
    kept: int
    known: int
    refused: tuple[Refusal, ...]
    before: int = 0

    @property
    def exit_code(self) -> int:
        return 0 if self.kept + self.known else 1

    def __str__(self) -> str:
        again = f", {self.known} known before" if self.known else ""
        lines = [f"{self.name}: {self.kept} of {self.kept + self.known + len(self.refused)} pictures enrolled{again}"]
        if self.before and self.kept:
            lines.append(f"  added to the {self.before} pictures of the {self.name} who was known before")
        return "\n".join(lines + [f"  refused {one.path}: {one.why}" for one in self.refused])


@dataclass(frozen=True, slots=True)
class Enroller:
    """limits  None: pictures are not compared with others

    even_if_unlike  take what is unlike the person's other pictures
    even_if_known   take what is like somebody else
    audit           where it is written down; None: nowhere
    """

    gallery: Gallery
    detector: Detector
    embedder: FaceEmbedder
    limits: Limits | None = None
    even_if_unlike: bool = False
    even_if_known: bool = False
    audit: Audit | None = None

    def enrol(self, name: str | None, paths: Sequence[Source], seen: Callable[[], object] = lambda: None) -> Report:
        """Portions are kept as they come, so that an enrolment that is cut short can simply be repeated."""
        check_name(name)
        before = sum(person.pictures for person in self.gallery.people() if person.name == name)
        kept = known = 0
        refused: list[Refusal] = []
        for start in range(0, len(paths), _PORTION):
            candidates = self._candidates(paths[start : start + _PORTION], refused, seen)
            taken = self._belonging(name, candidates, refused)
            new = self.gallery.add(name, [one.picture for one in taken])
            kept, known = kept + new, known + len(taken) - new
            if new and self.audit is not None:
                self.audit.tell("enrolled" if name is not None else "added a stranger", person=name, pictures=new)
        order = {path: place for place, path in enumerate(paths)}
        refused.sort(key=lambda one: order[one.path])
        return Report(name or "strangers", kept, known, tuple(refused), before)

    def _candidates(
        self, paths: Sequence[Source], refused: list[Refusal], seen: Callable[[], object]
    ) -> list[Candidate]:
        found = []
        for path in paths:
            try:
                found.append(Candidate(path, picture_of(path, self.detector, self.embedder)))
            except (photographs.Unreadable, Refused) as error:
                refused.append(Refusal(path, str(error)))
            seen()
        return found

    def _belonging(self, name: str | None, candidates: list[Candidate], refused: list[Refusal]) -> list[Candidate]:
        if self.limits is None or not candidates:
            return candidates
        reasons: dict[Source, str] = {}
        if not self.even_if_known:
            reasons |= belonging.known_as_others(self.gallery, name, candidates, self.limits)
        if not self.even_if_unlike and name is not None:  # strangers are not like each other
            rest = [one for one in candidates if one.path not in reasons]
            own = np.array([kept.picture.embedding for kept in self.gallery.kept([name])], np.float32)
            reasons |= belonging.unlike_the_others(own, rest, self.limits)
        refused += [Refusal(path, why) for path, why in reasons.items()]
        return [one for one in candidates if one.path not in reasons]


@contextmanager
def enroller(args: argparse.Namespace) -> Iterator[Enroller]:
    """With the models and the gallery of the settings."""
    chosen = settings.read(flags.given(args))
    options = flags.engine_options(chosen)
    embedder = load_embedder(options, batch=1)
    gallery = gallery_of(flags.gallery_config(chosen), space=embedder.space, dim=embedder.dim)
    try:
        seeing = replace(options, min_face_px=min(options.min_face_px, SEEN_FACE_PX))
        yield Enroller(
            gallery,
            load_detector(seeing, size_wh=(SQUARE_PX, SQUARE_PX)),
            embedder,
            belonging.limits_of(embedder_model(options).known),
            args.even_if_unlike,
            args.even_if_known,
            audit.here(chosen),
        )
    finally:
        gallery.close()


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "enroll",
        help="make somebody known",
        description="Make somebody known from photographs that show one face each, or many people from a folder that "
        "has a folder with pictures for each of them, named as they are.",
        epilog="examples: enroll Alice alice1.jpg alice2.jpg pictures/alice;  enroll people   (people/Alice/1.jpg …)",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME|FOLDER", help="who it is; or a folder with folders NAME/ of pictures")
    parser.add_argument("paths", metavar="IMAGE", nargs="*", type=Path, help="a picture, or a folder of pictures")
    add_flags(parser)
    parser.set_defaults(command=enroll_command)


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--even-if-unlike", action="store_true", help="take pictures that are unlike the others of the person"
    )
    parser.add_argument("--even-if-known", action="store_true", help="take pictures that are like somebody else")
    flags.add_flags(parser, flags.MODEL_FLAGS)


def enroll_command(args: argparse.Namespace) -> int:
    wanted = _wanted(args.name, args.paths)  # before models are loaded, which takes a moment
    if not args.paths:
        print(f"enrolling {len(wanted)} people from the folder {args.name}", file=sys.stderr)
    with enroller(args) as ready:
        reports = enrol_all(ready, wanted)
        if sum(report.kept for report in reports) >= _LARGE:
            optimized(ready.gallery)
    if len(reports) > 1:
        kept, refused = sum(r.kept for r in reports), sum(len(r.refused) for r in reports)
        print(f"{len(reports)} people: {kept} pictures enrolled, {refused} refused")
    return max(report.exit_code for report in reports)


def enrol_all(ready: Enroller, wanted: dict[str | None, list[Path]]) -> list[Report]:
    """Each person is told as soon as the pictures are safe."""
    total = sum(map(len, wanted.values()))
    reports = []
    with tqdm(total=total, unit=" pictures", leave=False, disable=None if total > 1 else True) as bar:
        for name, paths in wanted.items():
            reports.append(ready.enrol(name, paths, bar.update))
            bar.clear()
            print(reports[-1], flush=True)
            bar.refresh()
    return reports


def _wanted(name: str, paths: Sequence[Path]) -> dict[str | None, list[Path]]:
    """Who is to be enrolled with which files."""
    if paths:
        check_name(name)
        return {name: photographs.find(paths)}
    folder = Path(name)
    if not folder.is_dir():
        raise EnrolmentError(
            "Nothing says what to enrol.",
            saw=f"enroll {name}, without pictures, and there is no folder {name}",
            fix="name pictures: enroll NAME IMAGE…, or a folder that has a folder NAME/ for each person",
        )
    people = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not people:
        raise EnrolmentError(
            "This folder has no folder for each person.",
            saw=str(folder),
            fix=f"put the pictures into {folder}/NAME/, or say whose they are: enroll NAME {folder}",
        )
    for one in people:
        check_name(one.name)
    return {one.name: photographs.find([one]) for one in people}
