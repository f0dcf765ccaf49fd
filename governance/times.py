"""Moments in UTC and how they are written: ISO-8601 with six decimals and a Z, so that text order is time order."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """`2026-11-22T01:02:03.000004Z`. Raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: use an aware datetime")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def optional(text: str | None) -> datetime | None:
    """`from_text`, for columns that may be empty."""
    return None if text is None else from_text(text)
