"""What each route of the made-up console answers."""

from __future__ import annotations

from tests.app.console.made_up import Answer, Json, State, event, settings


def problem(what: str, saw: str = "", fix: str = "look again") -> Json:
    return {"what": what, "saw": saw, "fix": fix}


GONE: Answer = (404, problem("There is no such person.", fix="somebody else may have erased it; look again"))


def answer(state: State, method: str, path: list[str], asked: dict[str, str], body: Json) -> Answer:
    match method, path:
        case "GET", ["cameras"]:
            return 200, state.cameras
        case "GET", ["strangers"]:
            return 200, {"pictures": 4}
        case "POST", ["people" | "strangers" as whose]:
            return 200, uploaded(state, whose, body)
        case _, ["people", *rest]:
            return of_people(state, method, rest, body)
        case _, ["unknowns", *rest]:
            return of_unknowns(state, method, rest, body)
        case "POST", ["faces", "enrol"]:
            for one in state.faces:
                if one["track"] == body["track"]:
                    one.update(name=body["name"], state="known")
            state.happen(event(100 + len(state.news), body["name"]))
            return 200, {"person": state.enrol(body["name"], 3), "pictures": 3}
        case "GET", ["events"]:
            return 200, found(state.events, asked)
        case "GET", ["latency"]:
            return 200, state.latency
        case "POST", ["trace"]:
            return 200, {"traceEvents": []}
        case "GET", ["settings"]:
            return 200, settings()
    return 404, problem("There is no such page.")


def of_people(state: State, method: str, rest: list[str], body: Json) -> Answer:
    if not rest:
        return 200, list(state.people.values())
    known = state.people.get(rest[0])
    if known is None:
        return GONE
    match method, rest[1:]:
        case "GET", ["erasure"]:
            return 200, {"pictures": known["pictures"], "sightings": 1, "events": 5}
        case "GET", []:
            kept = {"source": "a.jpg", "quality": 0.8, "enrolled": "2026-01-05T08:00:00Z", "cutout": True}
            seen = {"camera": "door", "event": "door/1/1", "first": "2026-01-04T08:00:00Z", "last": known["since"]}
            return 200, {
                **known,
                "kept": [{**kept, "id": f"p{n}"} for n in range(known["pictures"])],
                "sightings": [seen],
            }
        case "PATCH", []:
            known["name"] = body["name"]
            return 200, known
        case "POST", ["merge"]:
            into = state.people[body["into"]]
            into["pictures"] += state.people.pop(rest[0])["pictures"]
            return 200, into
        case "DELETE", ["pictures", _]:
            known["pictures"] -= 1
            return 200, {"pictures": 1, "sightings": 0, "events": 0}
        case "DELETE", []:
            del state.people[rest[0]]
            return 200, {"pictures": 2, "sightings": 1, "events": 5}
    return 404, problem("There is no such page.")


def of_unknowns(state: State, method: str, rest: list[str], body: Json) -> Answer:
    if not rest:
        return 200, list(state.unknowns.values())
    if rest[0] not in state.unknowns:
        return 404, problem("There is no such unknown person.")
    gone = state.unknowns.pop(rest[0])
    match method, rest[1:]:
        case "POST", ["promote"]:
            return 200, {"person": state.enrol(body["name"], 3), "pictures": gone["faces"], "sightings": 2}
        case "POST", ["stranger"]:
            return 200, {"pictures": gone["faces"]}
    return 200, {"faces": gone["faces"], "sightings": gone["sightings"]}


def uploaded(state: State, whose: str, body: Json) -> Json:
    kept = body["pictures"] - len(state.refused)
    named = state.enrol(body["name"], kept) if whose == "people" and kept else None
    return {"person": named, "kept": kept, "known": 0, "refused": state.refused}


def found(events: list[Json], asked: dict[str, str]) -> Json:
    names = {"person": "name", "camera": "camera", "state": "state"}
    fits = [e for e in events if all(e[names[key]] == value for key, value in asked.items() if key in names)]
    fits = [e for e in fits if e["id"] < int(asked.get("after", 10**9))]
    limit = int(asked["limit"])
    return {"events": fits[:limit], "next": str(fits[limit - 1]["id"]) if len(fits) > limit else None}
