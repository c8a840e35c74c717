"""What validation measured, drawn: curves of precision and recall, P-Net's work for nothing, speed against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from training import whole_file
from training.average_precision import Curve
from training.proposal_score import ProposalScore

_SIZE_INCHES, _DPI = (7.0, 4.5), 110


def precision_recall(curves: Mapping[str, Curve], path: Path) -> None:
    figure, axes = _begun("recall", "precision", "Faces found, and boxes that are right")
    for name, drawn in curves.items():
        axes.step(drawn.recall, drawn.precision, where="post", label=name)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    _write(figure, axes, path)


def proposals(scores: Mapping[str, Sequence[ProposalScore]], path: Path) -> None:
    figure, axes = _begun("candidates that are no face, in a megapixel", "recall", "P-Net at rising least scores")
    for name, each in scores.items():
        axes.plot([one.false_per_megapixel for one in each], [one.recall for one in each], marker="o", label=name)
    axes.set_xscale("symlog", linthresh=1)
    _write(figure, axes, path)


def speed_accuracy(points: Mapping[str, tuple[float, float]], path: Path) -> None:
    """`points`: name → (milliseconds a picture, average precision)."""
    figure, axes = _begun("milliseconds a picture", "average precision", "Speed against accuracy")
    for name, (ms, ap) in points.items():
        axes.scatter([ms], [ap], label=name)
    axes.set_xlim(left=0)
    _write(figure, axes, path)


def _begun(across: str, up: str, title: str) -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")  # without pyplot: no window, no state
    axes = figure.add_subplot()
    axes.set(xlabel=across, ylabel=up, title=title)
    axes.grid(alpha=0.3)
    return figure, axes


def _write(figure: Figure, axes: mpl.axes.Axes, path: Path) -> None:
    axes.legend()
    # Without a date the same figures make the same bytes.
    whole_file.write_by(path, lambda aside: figure.savefig(aside, format="png", metadata={"Software": None}))
