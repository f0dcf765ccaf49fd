"""Moments in UTC and how they are written: ISO-8601 with six decimals and a Z, so that text order is time order."""

from datetime import UTC, date, datetime, timedelta

from governance.errors import Invalid


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


def period(since: date | None, until: date | None) -> tuple[datetime, datetime]:
    """The moments from the start of one day to the start of another; by default this month, today included.

    Raises Invalid if the second is not after the first.
    """
    today = now().date()
    first, last = since or today.replace(day=1), until or today + timedelta(days=1)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last))
    if end <= start:
        raise Invalid(
            f"the period from {start:%Y-%m-%d} to {end:%Y-%m-%d} is empty: give a later day as until", "until"
        )
    return start, end
