"""The demo's gallery: its one person, enrolled from the portrait, in a process whose memory goes with it."""

from __future__ import annotations

import hashlib
import multiprocessing
import multiprocessing.connection
import sys
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from checkpoints.errors import UserError
from pipeline.config import RunConfig

_SPAWN = multiprocessing.get_context("spawn")


def fill(config: RunConfig) -> None:
    """Raises what the other process raised for the user to put right."""
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_fill, args=(config, there), name="enroll")
    process.start()
    there.close()
    try:
        error: UserError | None = here.recv()
    except EOFError:
        error = UserError("The demo's person could not be enrolled.", fix="see the message above")
    process.join()
    here.close()
    if error is not None:
        raise error


def _fill(config: RunConfig, answer: multiprocessing.connection.Connection) -> None:
    from checkpoints.portrait import PATH, PERSON, portrait
    from engines.align import align
    from engines.load import load_detector, load_embedder
    from engines.quality import quality
    from pipeline.clock import utc_iso
    from pipeline.gallery.cutting import cut_out
    from pipeline.gallery.gallery import Kept, Picture
    from pipeline.gallery.opening import gallery_of

    try:
        image_bgr = portrait()
        size_wh = (image_bgr.shape[1], image_bgr.shape[0])
        faces = load_detector(config.engines, size_wh=size_wh).detect([image_bgr])[0]
        embedder = load_embedder(config.engines, batch=1)
        crops_bgr = align(image_bgr, faces.landmarks[:1], embedder.crop)
        worth = quality(crops_bgr, faces.boxes_xyxy[:1], faces.landmarks[:1], faces.scores[:1])
        digest = hashlib.sha256(PATH.read_bytes()).hexdigest()
        gallery = gallery_of(replace(config.gallery, server=None), space=embedder.space, dim=embedder.dim)
        cutout = cut_out(image_bgr, faces.boxes_xyxy[0], faces.landmarks[0])
        picture = Picture(embedder.embed(crops_bgr)[0], digest, float(worth[0]), cutout, PATH.name)
        # With an id that is always the same, two runs tell the very same.
        gallery.restore([Kept(str(uuid5(NAMESPACE_URL, digest)), PERSON, utc_iso(), picture)])
        gallery.close()
    except UserError as error:
        answer.send(error)
        sys.exit(2)
    answer.send(None)
