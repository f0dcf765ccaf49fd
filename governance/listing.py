"""The orders in which corrections are listed: a whole statement for each, and cursors that name a place in one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from governance.errors import InvalidClaim


class Sort(StrEnum):
    """What stands first: the newest, what is due soonest, or the highest priority (of equal ones, what is due soonest)."""

    CREATED = "created"
    DUE = "due"
    PRIORITY = "priority"


# By order, with a status or without, of one reporter or of all; each has an index that ends where the page ends.
PAGES = {
    (Sort.CREATED, False, False): "SELECT * FROM corrections WHERE (created, id) < (:at, :id)"
    " ORDER BY created DESC, id DESC LIMIT :limit",
    (Sort.CREATED, True, False): "SELECT * FROM corrections WHERE status = :status AND (created, id) < (:at, :id)"
    " ORDER BY created DESC, id DESC LIMIT :limit",
    (Sort.CREATED, False, True): "SELECT * FROM corrections WHERE reporter_id = :reporter"
    " AND (created, id) < (:at, :id) ORDER BY created DESC, id DESC LIMIT :limit",
    (Sort.CREATED, True, True): "SELECT * FROM corrections WHERE status = :status AND reporter_id = :reporter"
    " AND (created, id) < (:at, :id) ORDER BY created DESC, id DESC LIMIT :limit",
    (Sort.DUE, False, False): "SELECT * FROM corrections WHERE (due, id) > (:at, :id) ORDER BY due, id LIMIT :limit",
    (Sort.DUE, True, False): "SELECT * FROM corrections WHERE status = :status AND (due, id) > (:at, :id)"
    " ORDER BY due, id LIMIT :limit",
    (Sort.DUE, False, True): "SELECT * FROM corrections WHERE reporter_id = :reporter AND (due, id) > (:at, :id)"
    " ORDER BY due, id LIMIT :limit",
    (Sort.DUE, True, True): "SELECT * FROM corrections WHERE status = :status AND reporter_id = :reporter"
    " AND (due, id) > (:at, :id) ORDER BY due, id LIMIT :limit",
    (Sort.PRIORITY, False, False): "SELECT * FROM corrections WHERE (-priority, due, id) > (-:rank, :at, :id)"
    " ORDER BY -priority, due, id LIMIT :limit",
    (Sort.PRIORITY, True, False): "SELECT * FROM corrections WHERE status = :status"
    " AND (-priority, due, id) > (-:rank, :at, :id) ORDER BY -priority, due, id LIMIT :limit",
    (Sort.PRIORITY, False, True): "SELECT * FROM corrections WHERE reporter_id = :reporter"
    " AND (-priority, due, id) > (-:rank, :at, :id) ORDER BY -priority, due, id LIMIT :limit",
    (Sort.PRIORITY, True, True): "SELECT * FROM corrections WHERE status = :status AND reporter_id = :reporter"
    " AND (-priority, due, id) > (-:rank, :at, :id) ORDER BY -priority, due, id LIMIT :limit",
}
# As many people as report the same, the first of them included.
PRIORITY = """
UPDATE corrections SET priority = (SELECT COUNT(DISTINCT reporter_id) FROM corrections WHERE :id IN (id, duplicate_of))
WHERE id = :id
"""
HIGHEST = 2**62
RANK = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Place:
    """The last row that was seen. A page goes on behind it, so rows that come or go elsewhere shift nothing."""

    sort: Sort
    rank: int
    at: str
    id: str

    @classmethod
    def start(cls, sort: Sort) -> Self:
        """Before the first row: `~` is behind every time and id, the empty text before them."""
        return cls(sort, HIGHEST, "~", "~") if sort is Sort.CREATED else cls(sort, HIGHEST, "", "")

    @classmethod
    def read(cls, sort: Sort, cursor: str | None) -> Self:
        """Raises InvalidClaim for a cursor that no list in this order returned."""
        if cursor is None:
            return cls.start(sort)
        parts = cursor.split("|")
        if len(parts) != 4 or parts[0] != sort or not RANK.fullmatch(parts[1]) or len(cursor) > 120:
            raise InvalidClaim(
                f"cursor {cursor[:40]!r} is not one that a list by {sort} returned: leave it out", "cursor"
            )
        return cls(sort, max(-HIGHEST, min(HIGHEST, int(parts[1]))), parts[2], parts[3])

    def behind(self, row: Mapping[str, Any]) -> "Place":
        """The place of this row."""
        return Place(self.sort, row["priority"], row["created" if self.sort is Sort.CREATED else "due"], row["id"])

    def cursor(self) -> str:
        return f"{self.sort}|{self.rank}|{self.at}|{self.id}"
