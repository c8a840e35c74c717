"""Every network on every runtime that works here, in every precision: how many milliseconds, how large a file.

    python -m engines.bench
    python -m engines.bench --nets facenet sface --precisions int8 fp32 --batches 1 8 --seconds 3 --json bench.json

The engines for one network and batch take turns, so what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from checkpoints import store
from checkpoints.errors import OutputError, UserError
from checkpoints.exit_code import exit_code
from checkpoints.manifest import Manifest
from checkpoints.model_file import ModelFile
from engines.backends import BY_PREFERENCE, why_not
from engines.engine import Engine
from engines.flags import count
from engines.lineup import Shape, chosen, net_name, shapes
from engines.load import opener
from engines.models import Model
from engines.options import EngineOptions, Precision
from engines.turns import TURNS, fill, median_ms


@dataclass(frozen=True, slots=True)
class Row:
    """ms      of one inference of the whole batch, the median; None: it does not run
    runs    that were timed
    reason  why it does not run
    """

    net: str
    size_wh: tuple[int, int]
    batch: int
    backend: str
    precision: str
    ms: float | None
    runs: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class FileSize:
    """ratio  how many times smaller the INT8 file is; None, like the others: there is no such file"""

    net: str
    fp32_bytes: int | None
    int8_bytes: int | None
    ratio: float | None


def measure(shape: Shape, choices: Sequence[EngineOptions], seconds: float, bar: tqdm[None]) -> list[Row]:
    """One row for each of the choices of runtime and precision."""
    opened: list[Engine | None] = []
    reasons: list[str | None] = []
    try:
        for config in choices:
            engine, reason = _opened(shape, config)
            opened.append(engine)
            reasons.append(reason)
        running = [engine for engine in opened if engine is not None]
        bar.update(TURNS * (len(opened) - len(running)))
        times = iter(median_ms(running, seconds, bar.update))
    finally:
        for engine in opened:
            if engine is not None:
                engine.close()
    rows = []
    for config, engine, reason in zip(choices, opened, reasons, strict=True):
        ms, runs = (None, 0) if engine is None else next(times)
        told = None if ms is None else round(ms, 4)
        rows.append(Row(shape.title, shape.size_wh, shape.batch, config.backend, config.precision, told, runs, reason))
    return rows


def _opened(shape: Shape, config: EngineOptions) -> tuple[Engine | None, str | None]:
    if config.precision == "int8" and not shape.file.has_int8:
        return None, "there is no INT8 file"
    log_odds = ("scores",) if shape.known.family == "mtcnn" and "scores" in shape.file.outputs else ()
    try:
        spec = Model(shape.known, config.models).spec(
            config,
            shape.file.part,
            tuple(shape.file.outputs),
            batch=shape.batch,
            size_wh=shape.size_wh,
            log_odds=log_odds,
        )
        engine = opener(config)(spec)
    except UserError as error:
        return None, " ".join(str(error).split())
    fill(engine)
    return engine, None


def file_size(known: Manifest, file: ModelFile, models_dir: Path) -> FileSize:
    size = store.place(file, models_dir).stat().st_size
    if file.pairs:
        return FileSize(net_name(known, file), None, size, None)
    if file.int8 is None or not store.is_there(file.int8, models_dir):
        return FileSize(net_name(known, file), size, None, None)
    int8 = store.place(file.int8, models_dir).stat().st_size
    return FileSize(net_name(known, file), size, int8, round(size / int8, 2))


def table(rows: Sequence[Row], files: Sequence[FileSize]) -> str:
    """Milliseconds, and how many times faster than fp32 of the same runtime."""
    choices = list(dict.fromkeys((row.backend, row.precision) for row in rows))
    fp32 = {(row.net, row.size_wh, row.batch, row.backend): row.ms for row in rows if row.precision == "fp32"}
    cells: dict[tuple[str, str, int], dict[tuple[str, str], str]] = {}
    for row in rows:
        line = cells.setdefault((row.net, f"{row.size_wh[0]}×{row.size_wh[1]}", row.batch), {})
        slow = fp32.get((row.net, row.size_wh, row.batch, row.backend))
        faster = f" ({slow / row.ms:4.1f}×)" if slow and row.ms and row.precision != "fp32" else ""
        line[row.backend, row.precision] = "–" if row.ms is None else f"{row.ms:.2f}{faster}"
    wide = max([12, *(len(row.net) for row in rows), *(len(file.net) for file in files)]) + 1
    lines = [f"{'net':<{wide}}{'size':>10}{'batch':>6}" + "".join(f"{' '.join(choice):>18}" for choice in choices)]
    for (net, size, batch), line in cells.items():
        lines.append(
            f"{net:<{wide}}{size:>10}{batch:>6}" + "".join(f"{line.get(choice, '–'):>18}" for choice in choices)
        )
    lines += ["", f"{'file':<{wide}}{'fp32 MB':>10}{'int8 MB':>10}{'smaller':>9}"]
    for file in files:
        full, small = ("–" if size is None else f"{size / 1e6:.2f}" for size in (file.fp32_bytes, file.int8_bytes))
        ratio = "–" if file.ratio is None else f"{file.ratio:.1f}×"
        lines.append(f"{file.net:<{wide}}{full:>10}{small:>10}{ratio:>9}")
    missing = dict.fromkeys(f"{row.backend}: {row.reason}" for row in rows if row.reason and row.precision != "int8")
    return "\n".join([*lines, *(["", *missing] if missing else [])]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    return exit_code(lambda: _measure(args))


def _measure(args: argparse.Namespace) -> int:
    nets = chosen(args.nets, args.models)
    base = EngineOptions(models=args.models, cache=args.cache, threads=args.threads)
    backends = args.backends or [name for name in BY_PREFERENCE if why_not(name) is None]
    choices = [replace(base, backend=b, precision=p) for b in backends for p in args.precisions]
    wanted = [shape for net in nets for shape in shapes(*net, args.batches)]
    rows: list[Row] = []
    with tqdm(total=TURNS * len(wanted) * len(choices), unit="", disable=None, leave=False) as bar:
        for shape in wanted:
            bar.set_description(f"{shape.title} × {shape.batch}")
            rows += measure(shape, choices, args.seconds, bar)
    files = [file_size(*net, args.models) for net in nets]
    sys.stdout.write(table(rows, files))
    if args.json is not None:
        _save(args.json, {"threads": args.threads, "rows": list(map(asdict, rows)), "files": list(map(asdict, files))})
    return 0


def _save(path: Path, figures: object) -> None:
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            "The figures cannot be written.",
            saw=f"--json {path}: {error.strerror}",
            fix="Give a file in a writable folder.",
        ) from error


def _parser() -> argparse.ArgumentParser:
    default = EngineOptions()
    parser = argparse.ArgumentParser(
        prog="python -m engines.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--nets", nargs="+", metavar="NAME", help="a model or one part of it, mtcnn or mtcnn_pnet (all)"
    )
    parser.add_argument("--backends", nargs="+", choices=BY_PREFERENCE, help="(all that work here)")
    parser.add_argument("--precisions", nargs="+", choices=get_args(Precision), default=get_args(Precision))
    parser.add_argument("--batches", nargs="+", type=count, metavar="N", help="(1 4 8; R-Net 64, O-Net 32, P-Net 1)")
    parser.add_argument("--threads", type=count, default=1, metavar="N", help="of each engine (%(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each engine (%(default)s)")
    parser.add_argument("--models", type=Path, default=default.models, metavar="DIR")
    parser.add_argument("--cache", type=Path, default=default.cache, metavar="DIR", help="where engines are kept")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
