"""What an endless run does when its graphics card is gone: the processor goes on, if nobody has asked for the card."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from engines import backends
from engines.options import Backend
from pipeline.config import RunConfig

ENGINE_STAGES = frozenset(("detect", "align", "recognise"))


def without_card(
    config: RunConfig, stages: Iterable[str], choose: Callable[[Backend], str] = backends.choose
) -> RunConfig | None:
    """For a process of these stages that has died too often; None: the card is not what it died of, or was asked for.

    A card that is not found any more is passed over anyway when a stage starts. This is for one that is found and
    fails.
    """
    if config.engines.backend != "auto" or ENGINE_STAGES.isdisjoint(stages) or choose("auto") != "tensorrt":
        return None
    if backends.why_not("openvino") is not None:
        return None
    return replace(config, engines=replace(config.engines, backend="openvino"))
