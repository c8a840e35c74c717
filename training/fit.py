"""Teaching one network: batch, step, average, now and then a trial on pieces held out, and the best one is kept.

A folder takes the run: `last.pt`, from which it goes on after any interruption, `best.pt`, and TensorBoard's curves.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from checkpoints.errors import DataError, TrainingError
from training import checkpoint
from training.batches import Ahead, Batch, Batches
from training.checkpoint import AnyNet
from training.course import Course, learning_rate
from training.curves import Curves
from training.interrupts import asked_to_stop
from training.losses import losses, weighted
from training.place import Place, place
from training.quantised import QuantisedNet
from training.samples import Pieces
from training.trial import Trial, try_out

_FIRST_LOOKS = 8  # batches that a network sees before it begins to round


@dataclass(slots=True)
class _Run:
    """What changes from step to step, and is kept in `last.pt`; `taught` is what is averaged into `averaged`."""

    taught: AnyNet
    averaged: AnyNet
    optimiser: torch.optim.Optimizer
    step: int = 0
    best: dict[str, float] | None = None


def fit(
    net: AnyNet,
    pieces: Pieces,
    held_out: Pieces,
    course: Course,
    folder: Path,
    *,
    teacher_odds: NDArray[np.float32] | None = None,
) -> Trial:
    """The figures of the best network, which then lies in FOLDER/best.pt; goes on where an earlier call stopped."""
    with place() as here, asked_to_stop() as asked:
        torch.manual_seed(course.seed)
        run = _begin(net, course, folder, here)
        if run.step < course.steps:
            batches = Batches(pieces, course, teacher_odds, rank=here.rank, world=here.world)
            _teach(run, batches, held_out, course, folder, here, asked)
        here.meet()  # whoever reads the best network finds it written
        assert run.best is not None
        return Trial(**run.best)


def _begin(net: AnyNet, course: Course, folder: Path, here: Place) -> _Run:
    net = net.to(here.device)
    run = _Run(
        net, copy.deepcopy(net), torch.optim.AdamW(net.parameters(), weight_decay=course.weight_decay, fused=True)
    )
    last = folder / "last.pt"
    if not last.is_file():
        return run
    kept = checkpoint.read(last)
    if missing := {"taught", "optimiser", "step", "best"} - set(kept):
        raise DataError("No run can go on from this file.", saw=f"{last} without {', '.join(sorted(missing))}")
    if kept.get("course") != _told(course):
        raise DataError(
            "There is a run already, with other settings.",
            saw=str(last),
            fix="Remove that folder, or give another one.",
        )
    checkpoint.load_state(run.taught, kept["taught"], last)
    checkpoint.load_state(run.averaged, kept["state"], last)
    run.optimiser.load_state_dict(kept["optimiser"])
    run.step, run.best = kept["step"], kept["best"]
    return run


def _teach(
    run: _Run, batches: Batches, held_out: Pieces, course: Course, folder: Path, here: Place, asked: Callable[[], bool]
) -> None:
    shared = here.shared(run.taught)
    every = max(1, -(-course.steps // course.checks))
    curves = Curves(folder / "curves", run.step) if here.writes else None
    _begin_to_round(run, batches, here)
    run.taught.train()
    seen = torch.zeros(3)
    with (
        closing(Ahead(batches)) as ahead,
        tqdm(
            total=course.steps, initial=run.step, unit="", desc=folder.name, disable=None if here.writes else True
        ) as bar,
    ):
        while run.step < course.steps:
            _set_rounding(run, course)
            errors = _one_step(run, shared, ahead.at(run.step), course, here)
            seen = errors if not seen.any() else 0.98 * seen + 0.02 * errors
            run.step += 1
            bar.update()
            if run.step % every == 0 or run.step == course.steps:
                _check(run, held_out, course, folder, here, curves)
                bar.set_postfix_str(f"class {seen[0]:.3f} box {seen[1]:.3f} landmarks {seen[2]:.3f}")
                _tell(curves, run, seen, course)
            if asked():
                if here.writes:
                    _keep(run, course, folder)
                raise KeyboardInterrupt
    if curves is not None:
        curves.close()


def _one_step(run: _Run, shared: nn.Module, batch: Batch, course: Course, here: Place) -> Tensor:
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(run.step, course)
    pictures, kinds, offsets, landmarks = (each.to(here.device, non_blocking=True) for each in batch[:4])
    teacher = None if batch.teacher_odds is None else batch.teacher_odds.to(here.device)
    # Networks that round are taught in full: 16 bits of their own would hide the rounding.
    half = course.half and not isinstance(run.taught, QuantisedNet)
    with torch.autocast(here.device.type, torch.bfloat16, enabled=half):
        said = shared(pictures.contiguous(memory_format=torch.channels_last))
    errors = losses(said, kinds, offsets, landmarks, course, teacher)
    loss = weighted(errors, course)
    if not math.isfinite(float(here.mean(loss.detach().clone()))):
        raise _ruined(run, f"class, box, landmarks {[round(each, 4) for each in errors.tolist()]}")
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.taught.parameters(), 5.0)
    run.optimiser.step()
    _average(run, course)
    return errors.detach().cpu()


@torch.no_grad()
def _average(run: _Run, course: Course) -> None:
    """Young averages forget faster, or they would remember the random beginning."""
    keeps = min(course.average, (1 + run.step) / (10 + run.step))
    now = run.taught.state_dict()
    for name, kept in run.averaged.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(now[name], 1 - keeps)
        else:
            kept.copy_(now[name])


def _begin_to_round(run: _Run, batches: Batches, here: Place) -> None:
    if run.step == 0 and isinstance(run.taught, QuantisedNet):
        run.taught.calibrate(batches.at(step).pictures.to(here.device) for step in range(_FIRST_LOOKS))
        run.averaged.load_state_dict(run.taught.state_dict())


def _set_rounding(run: _Run, course: Course) -> None:
    if isinstance(run.taught, QuantisedNet):
        run.taught.observe(run.step < course.steps * course.observed)


def _check(run: _Run, held_out: Pieces, course: Course, folder: Path, here: Place, curves: Curves | None) -> None:
    if isinstance(run.averaged, QuantisedNet):
        run.averaged.observe(False)
    trial = try_out(run.averaged, held_out, course, here.device)
    if not math.isfinite(trial.loss):  # before it takes the place of a good one
        raise _ruined(run, f"on what is held out: {trial}")
    if run.best is None or trial.loss < run.best["loss"]:
        run.best = asdict(trial)
        if here.writes:
            checkpoint.save(folder / "best.pt", run.averaged, figures=run.best, course=_told(course), step=run.step)
    if here.writes:
        _keep(run, course, folder)
    if curves is not None:
        curves.add({f"held out/{name}": value for name, value in asdict(trial).items()}, run.step)


def _ruined(run: _Run, saw: str) -> TrainingError:
    return TrainingError(
        "The loss is not a number any more.",
        saw=f"step {run.step}: {saw}",
        fix="The last good network is kept. Try a lower learning rate; are all labels numbers?",
    )


def _keep(run: _Run, course: Course, folder: Path) -> None:
    checkpoint.save(
        folder / "last.pt",
        run.averaged,
        taught=run.taught.state_dict(),
        optimiser=run.optimiser.state_dict(),
        step=run.step,
        best=run.best,
        course=_told(course),
    )


def _tell(curves: Curves | None, run: _Run, errors: Tensor, course: Course) -> None:
    if curves is not None:
        told = {"taught/class": errors[0], "taught/box": errors[1], "taught/landmarks": errors[2]}
        rate = {"learning rate": learning_rate(run.step - 1, course)}
        curves.add({name: float(error) for name, error in told.items()} | rate, run.step)


def _told(course: Course) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(course).items()}
