"""How alike strangers are in an embedder's space: the table that its manifest keeps as `impostors`.

    python -m testbench.impostors sface --data PEOPLE --embeddings sface.npz

PEOPLE holds a folder for each person, as `testbench.accuracy identify` wants it. What is printed goes into the
manifest as it is. Beyond the last share of which a few dozen pairs were met the tail is drawn out, not measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import DataError
from checkpoints.exit_code import exit_code
from engines.options import EngineOptions
from pipeline.gallery.chance import Likeness
from testbench import engine_flags
from testbench.embeddings import embedded
from testbench.figures import tell
from testbench.lfw import read_people
from testbench.portraits import Portraits
from tracker.ballot import VoteSettings

SHOTS = (1, 3, 5)
_SHARES = (0.9, 0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
_GENUINE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_EVENTS = 50  # a quantile beyond which fewer pairs lie is drawn out: single pairs there are one person by two names
_STEP = 1e-4
_GAIN_AT, _GAIN_PICTURES = 1e-3, 3
_CROWD, _CROWD_RATE, _CROWD_DRAWS = 400, 0.02, 20

Floats = NDArray[np.float32]


def table(owners: NDArray[np.intp], portraits: Portraits) -> dict[str, object]:
    """owners (N,): whose each portrait is, 0…P-1."""
    faces = [np.flatnonzero((owners == who) & (portraits.qualities > 0)) for who in range(int(owners.max()) + 1)]
    faces = [rows for rows in faces if len(rows)]
    if len(faces) < 100:
        raise DataError("Too few people to say how alike strangers are.", saw=f"{len(faces)} people", fix="Give 100.")
    firsts = portraits.vectors[[rows[0] for rows in faces]]
    looks = [_looks(faces, portraits, shots) for shots in SHOTS if sum(len(rows) > shots for rows in faces) >= 20]
    pairs = len(faces) * (len(faces) - 1) / 2
    return {
        "people": len(faces),
        "measured_to": next(share for share in reversed(_SHARES) if share * pairs >= _EVENTS),
        "picture_gain": round(_picture_gain(faces, portraits.vectors), 3),
        "crowd_gain": round(_crowd_gain(firsts, looks[0]["strangers"]), 3),
        "looks": looks,
    }


def _looks(faces: Sequence[NDArray[np.intp]], portraits: Portraits, shots: int) -> dict[str, Any]:
    """Faces known by the mean of their last shots, against everybody's first picture and first three."""
    seen = [who for who, rows in enumerate(faces) if len(rows) >= shots]
    voted = np.stack([_mean_shot(portraits, faces[who][-shots:]) for who in seen])
    firsts = np.stack([portraits.vectors[rows[0]] for rows in faces])
    likeness = voted @ firsts.T
    if shots == 1:
        strange = likeness[np.triu_indices(len(faces), 1)]
    else:
        is_own = np.zeros(likeness.shape, np.bool_)
        is_own[np.arange(len(seen)), seen] = True
        strange = likeness[~is_own]
    own_one, own_three = [], []
    for who, vector in zip(seen, voted, strict=True):
        others = portraits.vectors[faces[who][:-shots]]
        own_one += [float(vector @ others[0])] if len(others) else []
        own_three += [float(np.max(others[:3] @ vector))] if len(others) >= 3 else []
    return {
        "shots": shots,
        "strangers": _tail(strange),
        "genuine": _quantiles(own_one),
        "genuine_three": _quantiles(own_three),
    }


def _mean_shot(portraits: Portraits, rows: NDArray[np.intp]) -> Floats:
    """The mean cosine of shots to a picture is the cosine-like product with their mean, weighted as votes are."""
    fading = VoteSettings(threshold=0).fading ** np.arange(len(rows))[::-1]
    weights = portraits.qualities[rows] * fading
    mean: Floats = (weights / weights.sum()).astype(np.float32) @ portraits.vectors[rows]
    return mean


def _tail(strange: Floats) -> dict[str, float]:
    """Quantiles by the share above.

    Against normal deviates they lie on a line that bends a little. The far ones are drawn on from the last two pieces,
    bending on alike.
    """
    ranked = np.sort(strange)[::-1]
    found = [share for share in _SHARES if share * len(ranked) >= _EVENTS]
    cosines = [float(ranked[int(share * len(ranked))]) for share in found]
    deviates = [-NormalDist().inv_cdf(share) for share in _SHARES]
    slopes = np.diff(cosines) / np.diff(deviates[: len(found)])
    slope, bend = slopes[-1], slopes[-1] - slopes[-2]
    for step in np.diff(deviates[len(found) - 1 :]):
        slope = max(slope + bend, slopes[-1] / 2)
        cosines.append(cosines[-1] + float(slope * step))
    return {f"{share:g}": round(cosine, 4) for share, cosine in zip(_SHARES, cosines, strict=True)}


def _quantiles(own: Sequence[float]) -> dict[str, float]:
    """Quantiles by the share below; few pictures may give one cosine twice, which a line cannot go through."""
    kept: dict[str, float] = {}
    least = -1.0
    for share in _GENUINE:
        least = max(round(float(np.quantile(own, share)), 4), round(least + _STEP, 4))
        kept[f"{share:g}"] = least
    return kept


def _picture_gain(faces: Sequence[NDArray[np.intp]], vectors: Floats) -> float:
    """To which power k pictures of somebody are chances: how many more strangers are met by one of several."""
    many = [who for who, rows in enumerate(faces) if len(rows) >= _GAIN_PICTURES]
    firsts = vectors[[rows[0] for rows in faces]]
    likeness = np.stack([vectors[faces[who][:_GAIN_PICTURES]] @ firsts.T for who in many])
    strange = np.ones(likeness.shape[::2], np.bool_)
    strange[np.arange(len(many)), many] = False
    alone = np.concatenate([likeness[:, each][strange] for each in range(_GAIN_PICTURES)])
    cut = np.quantile(alone, 1 - _GAIN_AT)
    return float(np.log(np.mean(likeness.max(axis=1)[strange] > cut) / _GAIN_AT) / np.log(_GAIN_PICTURES))


def _crowd_gain(firsts: Floats, strangers: Mapping[str, float]) -> float:
    """To which power n people are chances: in galleries of some of them, with the others as strangers."""
    quantiles = tuple((float(share), cosine) for share, cosine in strangers.items())
    likeness = Likeness(quantiles, shares_above=True)
    people = min(len(firsts) // 2, _CROWD)
    one = -np.expm1(np.log1p(-_CROWD_RATE) / people)
    draw, met = np.random.default_rng(0), []
    for _ in range(_CROWD_DRAWS):
        order = draw.permutation(len(firsts))
        best = np.max(firsts[order[people:]] @ firsts[order[:people]].T, axis=1)
        met.append(np.mean(best > likeness.cosine_of(one)))
    trials = np.log1p(-np.mean(met)) / np.log1p(-one)
    return float(min(np.log(trials) / np.log(people), 1.0))


def measured(people: Mapping[str, Sequence[Path]], options: EngineOptions, cache: Path | None) -> dict[str, object]:
    paths = [path for pictures in people.values() for path in pictures]
    owners = np.repeat(np.arange(len(people)), [len(pictures) for pictures in people.values()])
    return table(owners, embedded(paths, options, cache=cache))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m testbench.impostors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="EMBEDDER", help="name, or a path ending in .onnx")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a folder for each person")
    parser.add_argument("--embeddings", type=Path, metavar="FILE.npz", help="keep them here for the next time")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the table here")
    engine_flags.add(parser, default=EngineOptions(), embedder=False)
    args = parser.parse_args(arguments)
    return exit_code(lambda: _told(args))


def _told(args: argparse.Namespace) -> int:
    options = replace(engine_flags.options(args), embedder=args.model)
    tell({"impostors": measured(read_people(args.data), options, args.embeddings)}, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
