"""What every request has in common: text that can be stored, and null, or an empty parameter, for what is left out."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, model_validator


class Body(BaseModel):
    """A request body. Half a character (a lone surrogate, which JSON can escape and UTF-8 cannot hold) is refused."""

    @model_validator(mode="before")
    @classmethod
    def _whole_characters(cls, data: Any) -> Any:
        try:
            json.dumps(data, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise ValueError(f"the text holds half a character ({half!a}): send whole ones") from None
        except RecursionError:
            raise ValueError("it is nested too deeply: send it flat") from None
        return data

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        """OpenAI documents most fields as nullable, and many clients send null for what they have no value for."""
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


def as_list(given: Any) -> Any:
    """One text as a list of one, and an empty one as an empty list."""
    return [given] * bool(given.strip()) if isinstance(given, str) else given


def in_lower_case(given: Any) -> Any:
    """A code as it is written here, however it came: `GDPR` is `gdpr`."""
    return given.strip().casefold() if isinstance(given, str) else given


class Parameters(BaseModel):
    """Query parameters. One without a value counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value != ""}
