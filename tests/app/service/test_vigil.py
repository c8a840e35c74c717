from __future__ import annotations

from app.service.vigil import Vigil
from pipeline.messages import FrameRef, Shown

S = 1_000_000_000


class Clock:
    now_ns = 100 * S

    def __call__(self) -> int:
        return self.now_ns


def shown(camera: str, count: int) -> list[Shown]:
    """The frame that was the `count`th that it gave."""
    return [Shown(FrameRef(camera, 0, count - 1, 0.0, 0, count - 1, (4, 4)), 0)]


def test_frames_that_come_in_and_never_through_are_held_up() -> None:
    clock = Clock()
    vigil = Vigil(10, clock)
    for count in range(1, 12):
        vigil.see({"door": count}, shown("door", count))
        clock.now_ns += S
    assert vigil.held_up() == {}
    for count in range(12, 24):
        vigil.see({"door": count}, [])
        clock.now_ns += S
    assert vigil.held_up() == {"door": 11.0}
    vigil.see({"door": 25}, shown("door", 24))
    assert vigil.held_up() == {}


def test_a_camera_that_gives_nothing_is_no_fault_of_the_program() -> None:
    clock = Clock()
    vigil = Vigil(10, clock)
    vigil.see({"door": 1, "gate": 0}, [])
    vigil.see({"door": 1, "gate": 0}, shown("door", 1))
    clock.now_ns += 3600 * S
    vigil.see({"door": 1, "gate": 0}, [])
    assert vigil.held_up() == {}
    vigil.see({"door": 2, "gate": 0}, [])
    assert vigil.held_up() == {}, "it has just come back"


def test_one_camera_that_comes_through_does_not_speak_for_another() -> None:
    clock = Clock()
    vigil = Vigil(10, clock)
    for count in range(1, 13):
        vigil.see({"door": count, "gate": count}, shown("door", count))
        clock.now_ns += S
    assert vigil.held_up() == {"gate": 11.0}
