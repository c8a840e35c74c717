"""The description of the API, fuzzed: whatever is sent, there is an answer that it tells of, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.app.console.small_console import SmallConsole, face, picture

TOKEN = "admin-token-0123456789"
# These answers never end.
ENDLESS = ("/api/live", "/api/cameras/{name}/live", "/api/events/stream")
EXAMPLES = 15


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    small = SmallConsole(tmp_path_factory.mktemp("console"), {"CONSOLE_TOKEN": TOKEN})
    small.served.gallery.add("Ada", [picture(1)])
    small.add_unknown(7)
    small.show(1, [face(1, "Ada")])
    small.tell(id="door/1/1", frame=1, track=1, name="Ada", state="known")
    with small.serving() as made:
        yield made
    small.close()


def test_the_description_is_whole(address: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    paths = httpx.get(f"{address}/api/openapi.json", headers=headers).json()["paths"]
    for path, methods in paths.items():
        for method, said in methods.items():
            assert said.get("description") or said.get("summary"), (method, path)
            assert "503" in said["responses"], (method, path)


def test_whatever_is_sent_never_gives_a_500(address: str) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (.[dev])")
    from hypothesis import HealthCheck, Phase, given, settings

    headers = {"Authorization": f"Bearer {TOKEN}"}
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json", headers=headers)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ENDLESS:
            continue
        tried += 1

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def try_it(case: object) -> None:
            answer = case.call(headers=headers)  # type: ignore[attr-defined]
            assert answer.status_code < 500 or answer.status_code == 503, answer.text

        try_it()
    assert tried > 25
