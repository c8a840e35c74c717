"""The flags by which a measurement chooses its models and engines: the same words as the program's own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TypeVar, get_args

from app import values
from engines import fitting
from engines.options import Backend, EngineOptions, Precision

_Value = TypeVar("_Value")


def checked(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """A parser of `app.values` for argparse, which wants the whole sentence."""

    def parsed(text: str) -> _Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text} {error}") from error

    return parsed


count = checked(values.whole(1, 1_000_000))


def add(parser: argparse._ActionsContainer, *, default: EngineOptions, embedder: bool = True) -> None:
    parser.add_argument("--detector", default=default.detector, help="name, or a path ending in .onnx (%(default)s)")
    if embedder:
        parser.add_argument("--embedder", default=default.embedder, help="the same (%(default)s)")
    parser.add_argument(
        "--precision", choices=get_args(Precision), default=fitting.precision("auto"), help="(%(default)s)"
    )
    parser.add_argument("--backend", choices=get_args(Backend), default=default.backend, help="(%(default)s)")
    parser.add_argument("--threads", type=count, default=default.threads, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--min-face", type=count, default=default.min_face_px, dest="min_face_px", metavar="PX", help="(%(default)s)"
    )
    parser.add_argument(
        "--thresholds",
        type=checked(values.thresholds),
        default=default.thresholds,
        metavar="P,R,O",
        help="least scores after each stage of the cascade, or one number (what suits the detector)",
    )
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR", help="(%(default)s)")
    parser.add_argument(
        "--cache", type=Path, default=default.cache, metavar="DIR", help="where engines are kept (%(default)s)"
    )


def options(args: argparse.Namespace) -> EngineOptions:
    return EngineOptions(**{f.name: getattr(args, f.name) for f in fields(EngineOptions) if hasattr(args, f.name)})


def told(args: argparse.Namespace) -> dict[str, object]:
    """What was chosen, for the figures."""
    names = [field.name for field in fields(EngineOptions) if field.name not in ("models", "cache")]
    return {name: getattr(args, name) for name in names if hasattr(args, name)}
