"""How fields of the gateway's JSON are read: what is missing or of a wrong kind becomes empty."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def text(data: Json, key: str, default: str = "") -> str:
    value = data.get(key)
    return default if value is None else str(value)


def rows(data: Json, key: str) -> tuple[Json, ...]:
    return tuple(row for row in data.get(key) or () if isinstance(row, Mapping))


def words(data: Json, key: str) -> tuple[str, ...]:
    """A list of texts; a probe that comes as {question, answer} is shown by its question."""
    values = data.get(key) or ()
    if isinstance(values, str):
        return (values,)
    return tuple(str(value.get("question", value)) if isinstance(value, Mapping) else str(value) for value in values)
