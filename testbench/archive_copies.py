"""A small archive made of a few clips: copies that show the same and are other files."""

from __future__ import annotations

from pathlib import Path

from checkpoints.errors import DataError


def copies(sources: list[Path], each: int, folder: Path) -> list[Path]:
    """`each` copies of every clip, as mixed as an archive is. A box that players skip makes each another content."""
    made = []
    for number in range(each):
        for source in sources:
            try:
                content = source.read_bytes()
            except OSError as error:
                raise DataError("The clip cannot be read.", saw=f"{source}: {error.strerror}") from error
            mark = f"{source.name} {number}".encode()
            box = b"" if source.suffix == ".gif" else (8 + len(mark)).to_bytes(4, "big") + b"free"
            path = folder / f"{number:03}-{source.name}"
            path.write_bytes(content + box + mark)
            made.append(path)
    return made
