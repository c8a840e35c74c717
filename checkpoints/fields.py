"""Reading typed fields out of JSON, collecting all that is wrong instead of stopping at the first."""

from __future__ import annotations

import re
import sys
from typing import Any, TypeVar

_Choice = TypeVar("_Choice", bound=str)
_Value = TypeVar("_Value")


class Fields:
    """The fields of one JSON object. A wrong one gives a stand-in value and a line in `wrong`."""

    def __init__(self, content: object, path: str = "", wrong: list[str] | None = None) -> None:
        self.wrong: list[str] = [] if wrong is None else wrong
        self._path = path
        self._asked: set[str] = set()
        self._content: dict[str, Any] = content if isinstance(content, dict) else {}
        if not isinstance(content, dict):
            self.wrong.append(f"{path or 'the whole'}: must be an object, is {content!r}")

    def text(self, key: str) -> str:
        value = self._take(key)
        if isinstance(value, str) and value:
            return value
        return self._refuse(key, value, "a text that is not empty", "")

    def text_or_none(self, key: str) -> str | None:
        return None if self._is_null(key) else self.text(key)

    def text_or(self, key: str, default: str) -> str:
        return self.text(key) if key in self._content else default

    def file_name(self, key: str) -> str:
        value = self.text(key)
        if value and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", value):
            return self._refuse(key, value, "a file name without folders", "")
        return value

    def sha256(self, key: str) -> str:
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
            return value
        return self._refuse(key, value, "64 hexadecimal digits", "0" * 64)

    def number(self, key: str) -> float:
        value = self._take(key)
        return float(value) if _is_number(value) else self._refuse(key, value, "a number", 0.0)

    def number_or_none(self, key: str) -> float | None:
        return None if self._is_null(key) else self.number(key)

    def number_or(self, key: str, default: float) -> float:
        return self.number(key) if key in self._content else default

    def three_numbers(self, key: str) -> tuple[float, float, float]:
        """One number stands for three that are the same."""
        value = self._take(key)
        each = value if isinstance(value, list) else [value] * 3
        if len(each) == 3 and all(_is_number(one) for one in each):
            return float(each[0]), float(each[1]), float(each[2])
        return self._refuse(key, value, "a number or a list of three", (0.0, 0.0, 0.0))

    def integer(self, key: str) -> int:
        value = self._take(key)
        good = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return int(value) if good else self._refuse(key, value, "a whole number above 0", 1)

    def size_or_none(self, key: str) -> tuple[int, int] | None:
        value = self._take(key)
        if value is None and key in self._content:
            return None
        if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) and v > 0 for v in value):
            return value[0], value[1]
        self._refuse(key, value, "[width, height] or null", None)
        return None

    def points(self, key: str, count: int) -> tuple[tuple[float, float], ...]:
        value = self._take(key)
        if isinstance(value, list) and len(value) == count and all(_is_point(point) for point in value):
            return tuple((float(x), float(y)) for x, y in value)
        self._refuse(key, value, f"{count} points [x, y]", None)
        return ()

    def choice(self, key: str, valid: tuple[_Choice, ...]) -> _Choice:
        value = self._take(key)
        for one in valid:
            if value == one:
                return one
        return self._refuse(key, value, " or ".join(valid), valid[0])

    def texts(self, key: str, *, may_be_empty: bool = False) -> dict[str, str]:
        value = self._take(key)
        if isinstance(value, dict) and (value or may_be_empty) and all(isinstance(v, str) for v in value.values()):
            return dict(value)
        empty: dict[str, str] = {}
        return self._refuse(key, value, "an object of texts", empty)

    def numbers(self, key: str) -> dict[str, float]:
        value = self._take(key)
        if isinstance(value, dict) and value and all(_is_number(v) for v in value.values()):
            return {name: float(number) for name, number in value.items()}
        empty: dict[str, float] = {}
        return self._refuse(key, value, "an object of numbers", empty)

    def numbers_or_none(self, key: str) -> dict[str, float] | None:
        """None where the field is null or not there at all."""
        return None if self._is_null(key) or key not in self._content else self.numbers(key)

    def flag_or(self, key: str, default: bool) -> bool:
        value = self._take(key) if key in self._content else default
        return value if isinstance(value, bool) else self._refuse(key, value, "true or false", default)

    def refuse(self, key: str, value: object, valid: str) -> None:
        """For what no single field can tell: that two of them do not go together."""
        self._refuse(key, value, valid, None)

    def section(self, key: str) -> Fields:
        return Fields(self._take(key), self._name(key), self.wrong)

    def section_or_none(self, key: str) -> Fields | None:
        """None where the field is null or not there at all."""
        return None if self._is_null(key) or key not in self._content else self.section(key)

    def sections(self, key: str) -> list[Fields]:
        value = self._take(key)
        if not isinstance(value, list) or not value:
            self._refuse(key, value, "a list that is not empty", None)
            return []
        return [Fields(item, f"{self._name(key)}[{i}]", self.wrong) for i, item in enumerate(value)]

    def no_others(self) -> None:
        """What nobody asked for is most likely a misspelt name."""
        self.wrong += [f"{self._name(key)}: is not a field" for key in self._content if key not in self._asked]

    def _take(self, key: str) -> Any:  # noqa: ANN401 - JSON may hold anything; every reader checks
        self._asked.add(key)
        return self._content.get(key)

    def _is_null(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._content and self._content[key] is None

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _refuse(self, key: str, value: object, valid: str, stand_in: _Value) -> _Value:
        saw = f"is {value!r}" if key in self._content else "is missing"
        line = f"{self._name(key)}: must be {valid}, {saw}"
        if line not in self.wrong:
            self.wrong.append(line)
        return stand_in


def _is_number(value: object) -> bool:
    """One that a float can hold: JSON knows larger ones."""
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_one and -sys.float_info.max <= value <= sys.float_info.max  # type: ignore[operator]


def _is_point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
