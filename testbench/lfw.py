"""People as Labeled Faces in the Wild keeps them: a folder for each person, and lists of pairs of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.photographs import SUFFIXES
from checkpoints.errors import DataError

_FOLDS_OF_A_PLAIN_LIST = 10
_FORMAT = (
    "First line: the number of folds and of pairs of each kind in a fold, or the second number alone.\n"
    "Then for each fold the pairs of one person, `NAME n m`, and as many pairs of two, `NAME n OTHER m`."
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """paths  of the two pictures of each pair
    same   (N,) whether they show one person
    folds  (N,) which part of the list each belongs to, from 0
    """

    paths: tuple[tuple[Path, Path], ...]
    same: NDArray[np.bool_]
    folds: NDArray[np.intp]

    def first(self, count: int) -> Pairs:
        """About `count` of them, as many of each fold and kind."""
        folds = len(set(self.folds.tolist()))
        each = max(1, round(count / (2 * folds)))
        kept = np.concatenate(
            [
                np.flatnonzero((self.folds == fold) & (self.same == kind))[:each]
                for fold in range(folds)
                for kind in (True, False)
            ]
        )
        return Pairs(tuple(self.paths[index] for index in kept), self.same[kept], self.folds[kept])


def read_people(folder: Path) -> dict[str, list[Path]]:
    """Each person's pictures, people and pictures by name."""
    if not folder.is_dir():
        raise DataError("The folder with the people does not exist.", saw=f"--data {folder}")
    people = {}
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            pictures = sorted(path for path in entry.iterdir() if path.suffix.lower() in SUFFIXES)
            if pictures:
                people[entry.name] = pictures
    if not people:
        raise DataError(
            "There are no people in this folder.",
            saw=f"--data {folder}",
            fix="It must hold one folder for each person, with pictures of that person in it.",
        )
    return people


def read_pairs(path: Path, people: Path) -> Pairs:
    """The pairs of a list, whose pictures lie in the folder `people` as NAME/NAME_0001.jpg."""
    if not people.is_dir():
        raise DataError("The folder with the people does not exist.", saw=f"--data {people}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The list of pairs cannot be read.", saw=f"--pairs {path}: {error}", fix=_FORMAT) from error
    folds, of_each_kind = _header(path, lines[0] if lines else "")
    pairs, same = [], []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            one, other = _pair(path, number, line, people)
            pairs.append((one, other))
            same.append(one.parent == other.parent)
    kinds = np.array(same, np.bool_)
    expected = np.tile(np.repeat([True, False], of_each_kind), folds)
    if not np.array_equal(kinds, expected):
        raise DataError(
            "The list of pairs does not hold what its first line says.",
            saw=f"{path}: {len(kinds)} pairs, {int(kinds.sum())} of them of one person; {lines[0].strip()!r} "
            f"asks for {folds} times {of_each_kind} pairs of one person, then as many of two",
            fix=_FORMAT,
        )
    if folds > 1:
        return Pairs(tuple(pairs), kinds, np.repeat(np.arange(folds), 2 * of_each_kind))
    cut = np.arange(of_each_kind) * min(_FOLDS_OF_A_PLAIN_LIST, of_each_kind) // of_each_kind
    return Pairs(tuple(pairs), kinds, np.tile(cut, 2))


def _header(path: Path, line: str) -> tuple[int, int]:
    numbers = [int(word) for word in line.split() if word.isdecimal()]
    if len(numbers) != len(line.split()) or len(numbers) not in (1, 2) or 0 in numbers:
        raise DataError("The list of pairs begins wrongly.", saw=f"{path}, line 1: {line.strip()!r}", fix=_FORMAT)
    return (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _pair(path: Path, number: int, line: str, people: Path) -> tuple[Path, Path]:
    words = line.split()
    if len(words) == 3:
        words = [words[0], words[1], words[0], words[2]]
    if len(words) != 4 or not (words[1].isdecimal() and words[3].isdecimal()):
        raise DataError(
            "A line of the list of pairs cannot be read.", saw=f"{path}, line {number}: {line.strip()!r}", fix=_FORMAT
        )
    pictures = [people / name / f"{name}_{int(which):04}.jpg" for name, which in (words[:2], words[2:])]
    for picture in pictures:
        if not picture.is_file():
            raise DataError(
                "A picture of a pair is not there.",
                saw=f"{picture}, named by {path}, line {number}",
                fix="Are --data and --pairs of the same collection?",
            )
    return pictures[0], pictures[1]
