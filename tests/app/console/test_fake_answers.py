"""The made-up console answers as the real one does, or what the pages are tested with would be worth nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from app.console import run_schemas, schemas
from tests.app.console.fake_answers import answer, problem
from tests.app.console.made_up import State, face, health

ANSWERS: list[tuple[str, list[str], dict[str, Any], Any]] = [
    ("GET", ["cameras"], {}, list[run_schemas.Camera]),
    ("GET", ["people"], {}, list[schemas.Person]),
    ("GET", ["people", "id-Ada"], {}, schemas.PersonWhole),
    ("GET", ["people", "id-Ada", "erasure"], {}, schemas.Erasure),
    ("PATCH", ["people", "id-Ada"], {"name": "Eve"}, schemas.Person),
    ("POST", ["people", "id-Ada", "merge"], {"into": "id-Bob"}, schemas.Person),
    ("DELETE", ["people", "id-Ada", "pictures", "p0"], {}, schemas.Erasure),
    ("DELETE", ["people", "id-Ada"], {}, schemas.Erasure),
    ("POST", ["people"], {"name": "Eve", "pictures": 2}, schemas.Enrolled),
    ("POST", ["strangers"], {"name": "", "pictures": 2}, schemas.Enrolled),
    ("GET", ["strangers"], {}, schemas.Strangers),
    ("GET", ["unknowns"], {}, list[schemas.Unknown]),
    ("POST", ["unknowns", "u1", "promote"], {"name": "Eve"}, schemas.Promoted),
    ("DELETE", ["unknowns", "u1"], {}, schemas.ErasedUnknown),
    ("POST", ["faces", "enrol"], {"camera": "door", "track": 7, "name": "Eve"}, schemas.NamedNow),
    ("GET", ["events"], {}, schemas.Events),
    ("GET", ["latency"], {}, run_schemas.Latency),
    ("GET", ["settings"], {}, list[run_schemas.SettingsSection]),
]


def with_real_ids(value: Any) -> Any:
    """The real console's ids of people are sixteen digits; made-up ones are names, so that tests can be read."""
    if isinstance(value, list):
        return [with_real_ids(one) for one in value]
    if isinstance(value, dict):
        return {
            key: "0" * 16 if key == "id" and str(one)[:3] == "id-" else with_real_ids(one) for key, one in value.items()
        }
    return value


@pytest.mark.parametrize(("method", "path", "body", "model"), ANSWERS)
def test_an_answer_is_what_the_description_says(method: str, path: list[str], body: dict[str, Any], model: Any) -> None:
    status, said = answer(State(), method, path, {"limit": "50"}, body)
    assert status == 200
    TypeAdapter(model).validate_python(with_real_ids(said))


def test_health_faces_and_problems_are_what_the_description_says() -> None:
    run_schemas.Healthy.model_validate(health())
    schemas.Face.model_validate(face(7, None))
    schemas.Error.model_validate(problem("It failed."))
