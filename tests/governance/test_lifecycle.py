"""The move table, cell by cell."""

import pytest

from governance.corrections import Status
from governance.errors import MoveNotAllowed
from governance.lifecycle import ALLOWED_MOVES, check_move, check_status

TABLE = {
    "flagged": {"needs_evidence", "queued", "closed", "rejected"},
    "needs_evidence": {"flagged", "closed"},
    "queued": {"approved", "rejected", "needs_evidence", "closed"},
    "approved": {"editing", "in_knowledge", "queued"},
    "editing": {"live", "in_knowledge", "failed", "approved"},
    "live": {"rolled_back", "superseded"},
    "in_knowledge": {"rolled_back", "superseded"},
    "failed": {"queued"},
    "rejected": {"flagged"},
    "closed": set(),
    "rolled_back": {"live"},  # by restoring a version that holds the edit
    "superseded": {"live"},  # likewise
}


@pytest.mark.parametrize("start", Status)
@pytest.mark.parametrize("to", Status)
def test_moves(start, to):
    if to in TABLE[start]:
        check_move(start, to)
    else:
        with pytest.raises(MoveNotAllowed, match=f"{start.value!r} cannot become {to.value!r}"):
            check_move(start, to)


@pytest.mark.parametrize("status", Status)
def test_a_refusal_says_the_next_step_in_words(status):
    for refuse in (lambda: check_move(status, status), lambda: check_status(status, frozenset(), "approve")):
        with pytest.raises(MoveNotAllowed, match=r": (?!only)[a-z][^']+$"):
            refuse()


def test_every_status_has_its_row():
    assert set(ALLOWED_MOVES) == set(Status) == {Status(name) for name in TABLE}
