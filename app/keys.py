"""keys make|seal|rotate: the key that embeddings and pictures of faces are encrypted with on disk."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app import audit, flags, outgoing, sealing, settings
from app.settings import Settings
from checkpoints.errors import GalleryLocked, SealError
from checkpoints.sealed import Seal, id_of, new_key
from pipeline.gallery.cutouts import sync_folder
from pipeline.gallery.encrypting import encrypt
from pipeline.gallery.lock import Lock
from pipeline.outlets.crops import Crops


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "keys",
        help="the key of what is encrypted on disk",
        description="The key that embeddings and pictures of faces are encrypted with on disk. Who loses it has lost "
        "them: keep a copy in another place than the backups.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(required=True, metavar="make|seal|rotate")
    making = verbs.add_parser("make", help="print a new key, or write it to a new file", allow_abbrev=False)
    making.add_argument("file", metavar="FILE", type=Path, nargs="?")
    making.set_defaults(command=make_command)
    sealing_ = verbs.add_parser(
        "seal",
        help="put everything under the first key of the settings",
        description="Put everything under the first key of the settings: what is not encrypted yet, and what is under "
        "older keys. The program must not run meanwhile; what is cut short can be repeated.",
        allow_abbrev=False,
    )
    sealing_.set_defaults(command=seal_command)
    rotating = verbs.add_parser(
        "rotate",
        help="make a new key in ENCRYPTION_KEY_FILE and put everything under it",
        description="Make a new key, put it in front of the others in ENCRYPTION_KEY_FILE, and everything under it.",
        allow_abbrev=False,
    )
    rotating.set_defaults(command=rotate_command)
    for verb in (sealing_, rotating):
        flags.add_flags(verb, ["GALLERY_DIR"])


def make_command(args: argparse.Namespace) -> int:
    if args.file is None:
        print(new_key())
        return 0
    try:
        _write(args.file, new_key() + "\n", os.O_EXCL)
        sync_folder(args.file.parent)
    except OSError as error:
        raise SealError(
            "The key cannot be written.",
            saw=f"{args.file}: {error.strerror}",
            fix="name a file that there is not yet, in a folder that you may write to",
        ) from error
    print(f"A new key is in {args.file}. Name it in the settings: ENCRYPTION_KEY_FILE={args.file.absolute()}")
    return 0


def seal_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    seal = sealing.seal_of(chosen)
    if not seal.on:
        raise SealError(
            "There is no key.",
            saw="neither ENCRYPTION_KEY nor ENCRYPTION_KEY_FILE is set",
            fix="make one: python -m app.main keys make FILE, and set ENCRYPTION_KEY_FILE=FILE",
        )
    with _alone(chosen):
        count = _encrypt_all(chosen, seal)
    audit.here(chosen).tell("sealed", count=count, key=id_of(seal.keys[0]).hex())
    print(f"Everything is under the key {id_of(seal.keys[0]).hex()}; changed: {count}")
    return 0


def rotate_command(args: argparse.Namespace) -> int:
    chosen = settings.read(flags.given(args))
    path = chosen.secrecy.key_file
    if path is None:
        raise SealError(
            "Only a key in a file can be replaced by this command.",
            saw="ENCRYPTION_KEY_FILE is not set",
            fix="put a new key in front of the old one, ENCRYPTION_KEY=NEW,OLD, and run: keys seal",
        )
    older = sealing.seal_of(chosen)
    with _alone(chosen):
        _put_in_front(path, new_key())
        seal = sealing.seal_of(chosen)
        count = _encrypt_all(chosen, seal)
    audit.here(chosen).tell("rotated", count=count, key=id_of(seal.keys[0]).hex())
    old = ", ".join(id_of(key).hex() for key in older.keys)
    print(f"Everything is under the new key {id_of(seal.keys[0]).hex()}; changed: {count}")
    print(f"Nothing here needs the older lines of {path} any more ({old}); copies that were made before do.")
    return 0


@contextmanager
def _alone(chosen: Settings) -> Iterator[None]:
    """Nobody else writes pictures of events meanwhile: some would be under the old key again."""
    store, gallery = outgoing.store_dir(chosen), chosen.gallery_dir
    with ExitStack() as held:
        if store.is_dir():
            try:
                held.enter_context(Lock(store / "lock"))
            except GalleryLocked as error:
                raise GalleryLocked(
                    "The events are in use by another process.", saw=error.saw, fix="stop it first"
                ) from error
        if gallery.is_dir():
            Lock(gallery / "lock").release()  # who opens the gallery takes it again
        yield


def _encrypt_all(chosen: Settings, seal: Seal) -> int:
    store = outgoing.store_dir(chosen)
    count = encrypt(chosen.gallery_dir, seal)
    if store.is_dir():
        count += Crops(store / "crops", seal).reseal()
    return count + audit.here(chosen).reseal()


def _put_in_front(path: Path, key: str) -> None:
    """A power cut leaves the old file or the new one."""
    making = path.with_name(f".{path.name}.new")
    try:
        _write(making, f"{key}\n{path.read_text(encoding='ascii')}", os.O_TRUNC)
        making.replace(path)
        sync_folder(path.parent)  # before anything lies under the new key
    except OSError as error:
        raise SealError(
            "The new key cannot be written; nothing was encrypted anew.",
            saw=f"{path}: {error.strerror}",
            fix="see that its folder may be written to",
        ) from error


def _write(path: Path, text: str, flag: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
