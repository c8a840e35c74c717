"""What the API takes and gives of people, faces and events, as /api/openapi.json tells it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=100)]
PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Error(BaseModel):
    """what failed, the value seen, what to do"""

    what: str
    saw: str | None
    fix: str | None


class Asked(BaseModel):
    """What nobody knows is a mistake and not silently left out."""

    model_config = ConfigDict(extra="forbid")


class Password(Asked):
    password: Annotated[str, Field(max_length=1000)] = ""


class SessionAbout(BaseModel):
    login_needed: bool
    role: str | None
    csrf: str | None
    version: str


class Face(BaseModel):
    track: int
    box: tuple[float, float, float, float]
    name: str | None
    state: str
    score: float
    expected: bool


class CameraFaces(BaseModel):
    camera: str
    seq: int
    size: tuple[int, int]
    faces: list[Face]


class Person(BaseModel):
    id: PersonId
    name: str
    pictures: int
    since: str


class KeptPicture(BaseModel):
    id: str
    source: str
    quality: float
    enrolled: str
    cutout: bool


class Seen(BaseModel):
    camera: str
    event: str
    first: str
    last: str


class PersonWhole(Person):
    kept: list[KeptPicture]
    sightings: list[Seen]


class Erasure(BaseModel):
    """What is kept of a person"""

    pictures: int
    sightings: int
    events: int


class NewName(Asked):
    name: Name


class Into(Asked):
    into: PersonId


class Refusal(BaseModel):
    file: str
    why: str


class Enrolled(BaseModel):
    """kept: pictures that are new; known: those that were there already"""

    person: Person | None
    kept: int
    known: int
    refused: list[Refusal]


class Strangers(BaseModel):
    pictures: int


class Unknown(BaseModel):
    id: str
    faces: int
    sightings: int
    cameras: list[str]
    first: str
    last: str
    picture: bool


class Promoted(BaseModel):
    person: Person
    pictures: int
    sightings: int


class ErasedUnknown(BaseModel):
    faces: int
    sightings: int


class FaceToName(Asked):
    camera: Annotated[str, Field(max_length=200)]
    track: Annotated[int, Field(ge=0, lt=2**62)]
    name: Name


class NamedNow(BaseModel):
    person: Person
    pictures: int


class Event(BaseModel):
    """id: its place in the store; event: what the file of events calls it"""

    model_config = ConfigDict(extra="allow")
    id: int
    type: str
    t: str
    event: str | None = None
    camera: str | None = None
    frame: int | None = None
    track: int | None = None
    name: str | None = None
    state: str | None = None
    score: float | None = None
    margin: float | None = None
    votes: int | None = None
    quality: float | None = None
    crop: bool = False
    why: dict[str, Any] | None = None


class Events(BaseModel):
    """next: for `after`, to have the older ones; null: there are no more"""

    events: list[Event]
    next: str | None


class SeenFace(BaseModel):
    box: tuple[float, float, float, float]
    landmarks: list[tuple[float, float]]
    score: float
    quality: float
    name: str | None = None
    state: str | None = None
    cosine: float = 0.0
    margin: float = 0.0
    nearest: list[tuple[str | None, float, str]] = []


class Identified(BaseModel):
    size: tuple[int, int]
    faces: list[SeenFace]
