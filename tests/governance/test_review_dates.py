"""When a fact in force is looked at again, and which facts may be."""

from datetime import timedelta

import pytest

from governance.corrections import Remedy
from governance.errors import MoveNotAllowed
from governance.times import now


@pytest.mark.parametrize(
    ("comes_into_force", "days"),
    [
        (lambda room: room.live(), 180),
        (lambda room: room.ledger.gate_failed(room.editing().id, {}), 90),
        (lambda room: room.ledger.to_knowledge(room.approved(remedy=Remedy.KNOWLEDGE).id), 90),
        (lambda room: _looked_at_again(room, room.live()), 180),
        (lambda room: _looked_at_again(room, room.ledger.gate_failed(room.editing().id, {})), 90),
    ],
)
def test_a_fact_in_force_is_looked_at_again_when_the_policy_says(room, comes_into_force, days):
    ahead = comes_into_force(room).review_due - now()
    assert timedelta(days=days, minutes=-1) < ahead <= timedelta(days=days)


def _looked_at_again(room, fact):
    with room.store.transaction():
        room.store.write("UPDATE corrections SET review_due = '2020-01-01T00:00:00.000000Z'")
    room.ledger.reviewed(fact.id, room.reviewer)
    return room.ledger.get(fact.id)


def test_only_a_fact_in_force_is_reviewed(room):
    queued = room.queued()
    with pytest.raises(MoveNotAllowed, match="review"):
        room.ledger.reviewed(queued.id, room.admin)
    assert room.ledger.get(queued.id) == queued
