"""The newest frame of each camera with what is known of it, for somebody who looks on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.messages import Frame, FrameRef, Identities
from pipeline.onlooker import Onlooker
from pipeline.ring import Ring


@dataclass(frozen=True, slots=True)
class Sight:
    """frame  with pixels of its own"""

    frame: Frame
    identities: Identities


class Newest:
    def __init__(self, rings: Mapping[str, Ring]) -> None:
        self._identities = Onlooker(rings["identities"])
        self._frames = {
            name.partition(":")[2]: Onlooker(ring) for name, ring in rings.items() if name.startswith("frames:")
        }
        self._next = 0

    def take(self) -> tuple[list[FrameRef], list[Sight]]:
        """The frames that became known since the last call, and what can still be seen of the newest of each camera."""
        newest: dict[str, Identities] = {}
        refs = []
        for position, record in self._identities.since(self._next):
            assert isinstance(record, Identities)
            self._next = position + 1
            newest[record.ref.camera] = record
            refs.append(record.ref)
        frames = [(self._frames[camera].frame(record.ref), record) for camera, record in newest.items()]
        return refs, [Sight(frame, record) for frame, record in frames if frame is not None]

    def close(self) -> None:
        for onlooker in (self._identities, *self._frames.values()):
            onlooker.close()
