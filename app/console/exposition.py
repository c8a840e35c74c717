"""/metrics: the figures of the run in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.metrics import Histogram

Labels = Mapping[str, str]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def counter(self, name: str, text: str, samples: Iterable[tuple[Labels, float]]) -> None:
        self._simple("counter", name, text, samples)

    def gauge(self, name: str, text: str, samples: Iterable[tuple[Labels, float]]) -> None:
        self._simple("gauge", name, text, samples)

    def histogram(self, name: str, text: str, samples: Iterable[tuple[Labels, Histogram]]) -> None:
        self._begin("histogram", name, text)
        for labels, histogram in samples:
            total = 0
            bounds = [*(f"{bound:g}" for bound in Histogram.BOUNDS_S), "+Inf"]
            for bound, count in zip(bounds, tuple(histogram.counts), strict=True):
                total += count
                self._sample(f"{name}_bucket", {**labels, "le": bound}, total)
            self._sample(f"{name}_sum", labels, round(histogram.sum_s, 6))
            self._sample(f"{name}_count", labels, total)

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _simple(self, kind: str, name: str, text: str, samples: Iterable[tuple[Labels, float]]) -> None:
        self._begin(kind, name, text)
        for labels, value in samples:
            self._sample(name, labels, value)

    def _begin(self, kind: str, name: str, text: str) -> None:
        self._lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]

    def _sample(self, name: str, labels: Labels, value: float) -> None:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        self._lines.append(f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
