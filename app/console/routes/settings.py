"""The settings of this run and what they mean; none can be changed here, and no secret is shown."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

from fastapi import APIRouter

from app import cameras
from app.about import About
from app.console.run_schemas import Setting, SettingsSection
from app.console.state import Here
from app.settings import SECTIONS, Settings, catalogue, written_default
from app.values import written

router = APIRouter(prefix="/api", tags=["settings"])


@router.get("/settings")
def settings(state: Here) -> list[SettingsSection]:
    sections = [SettingsSection(section=kind.__doc__ or name, settings=[]) for name, kind in SECTIONS]
    places = {name: section for (name, _), section in zip(SECTIONS, sections, strict=True)}
    for name, item, about in catalogue():
        places[name].settings.append(_setting(state.chosen, name, item, about))
    return sections


def _setting(chosen: Settings, section: str, item: Field[Any], about: About) -> Setting:
    value = getattr(getattr(chosen, section), item.name)
    default = written_default(item)
    return Setting(
        name=about.names[0],
        value=_shown(value, about),
        default=default,
        help=about.help,
        flag=about.flag,
        given=value != item.default,
    )


def _shown(value: object, about: About) -> str:
    """Addresses may hold passwords."""
    if value is None:
        return ""
    if about.secret:
        return "…"
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(cameras.shown(one) for one in value)
    return cameras.shown(written(value))
