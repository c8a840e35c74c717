"""What is known about a model before its file is opened: one JSON file for each in `manifests/`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Literal, get_args

from checkpoints import json_text
from checkpoints.errors import ModelError
from checkpoints.fields import Fields
from checkpoints.impostors import Impostors, impostors
from checkpoints.model_file import ModelFile, model_file

Role = Literal["detector", "embedder", "asset"]
Layout = Literal["NHWC", "NCHW"]
Colour = Literal["RGB", "BGR"]
Family = Literal["mtcnn", "yunet", "retinaface", "scrfd"]


@dataclass(frozen=True, slots=True)
class Crop:
    """How a face is cut out for an embedder: turned, scaled and shifted so that its landmarks lie on the template.

    template  (x, y) in pixels of a picture of the file's size_wh: eye on the left, eye on the right, nose,
              mouth corner left, right
    stretch   how much wider than in life a face is drawn: some nets have learnt from crops that were
    """

    name: str
    template: tuple[tuple[float, float], ...]
    stretch: float = 1.0


@dataclass(frozen=True, slots=True)
class Scores:
    """Measured on 2,829 people of LFW, cut out by the landmarks of MTCNN; fractions.

    pairs          accuracy over 3,000 pairs
    dir_at_fpir_1  share of the enrolled who are found while 1 % of the strangers are taken for somebody
    """

    pairs: float | None
    dir_at_fpir_1: float | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """family           detectors only: how the outputs are read
    mean, scale      the network takes (value - mean) · scale, with values 0…255, for each of its colours in its order
    embedding_dim    embedders only, like crop and match_threshold
    match_threshold  cosine from which two faces count as one person's: where dir_at_fpir_1 was measured
    impostors        how alike strangers are; None: not measured, so no threshold can be told for a gallery's size
    notes            what the numbers in the outputs mean
    figures          what was measured when the files were made; for people, nothing is decided by it
    """

    name: str
    role: Role
    family: Family | None
    title: str
    licence: str
    origin: str
    files: tuple[ModelFile, ...]
    layout: Layout
    colour: Colour
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    embedding_dim: int | None
    crop: Crop | None
    match_threshold: float | None
    scores: Scores
    notes: str
    impostors: Impostors | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def embedding_space(self) -> str:
        """Embeddings can be compared only if the very same file made them from faces cut out the same way.

        Those of its INT8 twin can: it is the same net, rounded.
        """
        cut_out = None if self.crop is None else (self.crop.template, self.crop.stretch)
        made_by = repr((self.files[0].sha256, self.layout, self.colour, self.mean, self.scale, cut_out))
        return f"{self.name}@sha256:{hashlib.sha256(made_by.encode()).hexdigest()[:12]}"

    def file(self, part: str) -> ModelFile:
        for file in self.files:
            if file.part == part:
                return file
        raise KeyError(f"{self.name} has no part {part}")


def names() -> tuple[str, ...]:
    found = (entry.name for entry in resources.files("checkpoints").joinpath("manifests").iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def load(name: str) -> Manifest:
    if name not in names():
        raise ModelError("There is no model of that name.", saw=name, fix=f"Known models: {', '.join(names())}.")
    entry = resources.files("checkpoints").joinpath("manifests").joinpath(f"{name}.json")
    manifest = parse(entry.read_text(encoding="utf-8"), f"checkpoints/manifests/{name}.json")
    if manifest.name != name:
        raise ModelError(f"checkpoints/manifests/{name}.json names another model.", saw=manifest.name)
    return manifest


def parse(text: str, where: str, *, brought_as: str | None = None) -> Manifest:
    """`where` is what an error calls the text.
    `brought_as` is the name of a model that somebody brings along: what only informs people may be left out then.
    """
    try:
        content = json_text.read(text)
    except ValueError as error:
        raise ModelError(f"{where} is not JSON.", saw=str(error)) from error
    fields = Fields(content)
    manifest = _manifest(fields, brought_as)
    if fields.wrong:
        raise ModelError(f"{where} does not describe a model.", saw="\n".join(fields.wrong))
    return manifest


def _manifest(fields: Fields, brought_as: str | None) -> Manifest:
    def for_people(key: str) -> str:
        return fields.text(key) if brought_as is None else fields.text_or(key, "not told")

    role = fields.choice("role", get_args(Role))
    embedder = role == "embedder"
    scores = fields.section_or_none("scores") if brought_as is not None else fields.section("scores")
    strangers = fields.section_or_none("impostors")
    manifest = Manifest(
        name=fields.text("name") if brought_as is None else fields.text_or("name", brought_as),
        role=role,
        family=fields.choice("family", get_args(Family)) if role == "detector" else None,
        title=for_people("title"),
        licence=for_people("licence"),
        origin=for_people("origin"),
        files=tuple(model_file(entry) for entry in fields.sections("files")),
        layout=fields.choice("layout", get_args(Layout)),
        colour=fields.choice("colour", get_args(Colour)),
        mean=fields.three_numbers("mean"),
        scale=fields.three_numbers("scale"),
        embedding_dim=fields.integer("embedding_dim") if embedder else None,
        crop=_crop(fields.section("crop")) if embedder else None,
        match_threshold=fields.number("match_threshold") if embedder else None,
        scores=Scores(None, None) if scores is None else _scores(scores),
        notes=for_people("notes"),
        impostors=None if strangers is None else impostors(strangers),
        figures=fields.numbers_or_none("figures") or {},
    )
    fields.no_others()
    return manifest


def _crop(fields: Fields) -> Crop:
    crop = Crop(fields.text("name"), fields.points("template", 5), fields.number_or("stretch", 1.0))
    fields.no_others()
    return crop


def _scores(fields: Fields) -> Scores:
    scores = Scores(pairs=fields.number_or_none("pairs"), dir_at_fpir_1=fields.number_or_none("dir_at_fpir_1"))
    fields.no_others()
    return scores
