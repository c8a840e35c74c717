"""All that a validation found, as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from training import net_score
from training.cascade_score import CascadeScore
from training.net_score import NetScore
from training.proposal_score import ProposalScore, false_at_recall
from training.shapes import Part

IN_USE = 0.6  # P-Net's least score when the program runs
_DIGITS = 4


@dataclass(slots=True)
class Findings:
    """By cascade's name; what was not asked for is empty.

    against    the cascade whose figures are 100 per cent
    cascades   least height in pixels of the faces to be found → cascade → score
    proposals  cascade → what its P-Net proposes at rising least scores
    nets       part → cascade → score on held-out samples
    ms         part → cascade → milliseconds
    """

    against: str
    cascades: dict[float, dict[str, CascadeScore]] = field(default_factory=dict)
    proposals: dict[str, list[ProposalScore]] = field(default_factory=dict)
    nets: dict[Part, dict[str, NetScore]] = field(default_factory=dict)
    ms: dict[Part, dict[str, float]] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """Figures are rounded; curves are left to the plots."""
        told: dict[str, object] = {"against": self.against}
        told["cascades"] = [
            {"min_height_px": height, "cascade": name, **_rounded(score), "retention": _round(self._ap(height, name))}
            for height, scores in self.cascades.items()
            for name, score in scores.items()
        ]
        told["proposals"] = [
            {"cascade": name, **_rounded(score)} for name, scores in self.proposals.items() for score in scores
        ]
        told["nets"] = [
            {"part": part, "cascade": name, **_rounded(score), "retention": _round(self._accuracy(part, name))}
            for part, scores in self.nets.items()
            for name, score in scores.items()
        ]
        told["ms"] = {part: {name: _round(ms) for name, ms in took.items()} for part, took in self.ms.items()}
        return told

    def tables(self) -> str:
        """In Markdown, one after the other; per cent are of the cascade `against`."""
        made = [self._cascades(height) for height in self.cascades]
        made += [self._nets(part) for part in self.nets]
        made += [self._proposals()] if self.proposals else []
        made += [self._speed()] if self.ms else []
        return "\n".join(made)

    def _ap(self, height: float, name: str) -> float:
        scores = self.cascades[height]
        return 100 * scores[name].ap / max(scores[self.against].ap, 1e-9)

    def _accuracy(self, part: Part, name: str) -> float:
        return net_score.retention(self.nets[part][name], self.nets[part][self.against])

    def _cascades(self, height: float) -> str:
        head = f"faces of {height:g} px and more", "AP", "%", "recall at 1 FPPI", "box IoU", "landmark error", "ms"
        rows = [
            (
                name,
                f"{one.ap:.4f}",
                f"{self._ap(height, name):.1f}",
                f"{one.recall_at_1fppi:.4f}",
                f"{one.box_iou:.3f}",
                _or_dash(one.landmark_error),
                f"{one.ms_per_image:.2f}",
            )
            for name, one in self.cascades[height].items()
        ]
        return table(head, rows)

    def _nets(self, part: Part) -> str:
        head = part, "loss", "accuracy", "%", "balanced", "box error", "landmark error"
        rows = [
            (
                name,
                f"{one.loss:.4f}",
                f"{one.accuracy:.4f}",
                f"{self._accuracy(part, name):.2f}",
                f"{one.balanced:.4f}",
                f"{one.box_error:.4f}",
                _or_dash(one.landmark_error),
            )
            for name, one in self.nets[part].items()
        ]
        return table(head, rows)

    def _proposals(self) -> str:
        """As P-Net is used, and where each proposes as many faces as the one in `against` does."""
        same = next(one.recall for one in self.proposals[self.against] if one.least_score == IN_USE)
        head = "P-Net", f"recall at {IN_USE:g}", "false per megapixel", f"false per megapixel at recall {same:.3f}"
        rows = []
        for name, scores in self.proposals.items():
            used = next(one for one in scores if one.least_score == IN_USE)
            rows.append(
                (
                    name,
                    f"{used.recall:.4f}",
                    f"{used.false_per_megapixel:.1f}",
                    _or_dash(false_at_recall(scores, same), 1),
                )
            )
        return table(head, rows)

    def _speed(self) -> str:
        names = list(next(iter(self.ms.values())))
        rows = []
        for part, took in self.ms.items():
            rows.append((part, *(f"{took[name]:.3f} ({took[self.against] / took[name]:.2f}×)" for name in names)))
        return table(("ms", *names), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in lines
    )


def _or_dash(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _rounded(score: CascadeScore | NetScore | ProposalScore) -> Mapping[str, object]:
    return {name: _round(value) for name, value in asdict(score).items() if name != "drawn"}


def _round(value: object) -> object:
    return round(value, _DIGITS) if isinstance(value, float) else value
