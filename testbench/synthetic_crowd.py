"""Where the heads of a synthetic scene really are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from testbench.synthetic_scene import ASPECT, Scene

COME_BACK = 0.3  # of those who leave through a door
OUTSIDE_FRAMES = (10, 150)  # how long a door stays shut behind somebody


class Crowd:
    """people  (M,) who is in each place of the scene: with doors, others come after those who have left."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        count = scene.faces
        self._scene, self._rng, self._frame = scene, rng, 0
        self._height_px = rng.uniform(*scene.heights_px, count)
        self._centre_px = rng.uniform(0.1, 0.9, (count, 2)) * scene.size_wh
        heading = rng.uniform(-np.pi, np.pi, count)
        pace = scene.speed * rng.lognormal(0, 0.5, count)
        self._cruise = np.stack([np.cos(heading), 0.3 * np.sin(heading)], axis=1) * pace[:, None]
        self._sway = np.zeros((count, 2))
        self._growth = rng.normal(0, 0.002, count)
        late = rng.random(count) < 0.3  # these come later, or leave before the end
        self._from = np.where(late, rng.integers(0, max(1, scene.frames // 2), count), 0)
        self._until = np.where(late, self._from + rng.integers(scene.frames // 4, scene.frames, count), scene.frames)
        self.away_frames = np.zeros(count, np.int64)
        self.present = np.zeros(count, np.bool_)
        self.people = np.arange(count)
        self._outside_frames = np.zeros(count, np.int64)
        self._shake_px = np.zeros(2)
        if scene.is_corridor:
            self._centre_px[:, 1] = scene.size_wh[1] / 2 + rng.normal(0, 0.3, count) * self._height_px
            self._cruise = np.stack([pace * np.sign(np.cos(heading)), np.zeros(count)], axis=1)
        if scene.has_doors:
            self._cruise[:, 0] = pace * np.sign(np.cos(heading))

    def step(self) -> None:
        scene, rng, count = self._scene, self._rng, self._scene.faces
        self._frame += 1
        self.present = (self._frame > self._from) & (self._frame <= self._until)
        self._sway = 0.8 * self._sway + rng.normal(0, scene.sway, (count, 2))
        if not scene.has_doors:
            self._cruise[rng.random(count) < 0.01, 0] *= -1
        self._centre_px += (self._cruise + self._sway) * self._height_px[:, None]
        if scene.has_doors:
            self._use_doors()
        self._turn_at_the_border()
        self._height_px *= 1 + self._growth
        outgrown = (self._height_px < scene.heights_px[0]) | (self._height_px > scene.heights_px[1])
        self._growth[outgrown] *= -1
        self._height_px = np.clip(self._height_px, *scene.heights_px)
        turns = rng.random(count) < scene.turn_away
        self.away_frames = np.where(turns, rng.integers(5, 26, count), np.maximum(self.away_frames - 1, 0))
        if scene.shake_px:
            jolt = 5.0 if rng.random() < 0.02 else 1.0
            self._shake_px = 0.9 * self._shake_px + rng.normal(0, jolt * scene.shake_px, 2)

    def boxes_xyxy(self) -> NDArray[np.float64]:
        half = np.stack([ASPECT * self._height_px, self._height_px], axis=1) / 2
        centre = self._centre_px + self._shake_px
        return np.concatenate([centre - half, centre + half], axis=1)

    def _turn_at_the_border(self) -> None:
        low, high = 0.05 * np.array(self._scene.size_wh), 0.95 * np.array(self._scene.size_wh)
        too_low, too_high = self._centre_px < low, self._centre_px > high
        if self._scene.has_doors:
            too_low[:, 0] = too_high[:, 0] = False
        self._cruise = np.where(too_low, np.abs(self._cruise), np.where(too_high, -np.abs(self._cruise), self._cruise))

    def _use_doors(self) -> None:
        """Who has walked out is outside for a while; then the same person or another comes in, at either side."""
        width, height = self._scene.size_wh
        out = (self._outside_frames == 0) & ((self._centre_px[:, 0] < 0) | (self._centre_px[:, 0] > width))
        self._outside_frames[out] = self._rng.integers(*OUTSIDE_FRAMES, int(out.sum())) + 1
        back = self._outside_frames == 1
        self._outside_frames = np.maximum(self._outside_frames - 1, 0)
        for place in np.flatnonzero(back):
            side = self._rng.choice([-1, 1])
            self._centre_px[place] = 1.0 if side > 0 else width - 1.0, self._rng.uniform(0.1, 0.9) * height
            self._cruise[place, 0] = side * abs(self._cruise[place, 0])
            self._sway[place] = 0
            if self._rng.random() > COME_BACK:
                self.people[place] = self.people.max() + self._scene.faces  # nobody had this number before
                self._height_px[place] = self._rng.uniform(*self._scene.heights_px)
        self.present &= self._outside_frames == 0
