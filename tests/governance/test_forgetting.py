"""What an erasure leaves of corrections: which texts go, which are kept, and what has to happen first."""

import pytest

from governance.corrections import Status
from governance.errors import MoveNotAllowed


@pytest.mark.parametrize("status", [Status.LIVE, Status.EDITING])
def test_what_is_in_the_weights_is_not_forgotten_before_its_edit_is_dropped(room, status):
    one = room.live() if status is Status.LIVE else room.editing()
    with pytest.raises(MoveNotAllowed, match="drop its edit first"):
        room.ledger.forget(one.id, actor=room.admin)
    assert room.ledger.get(one.id) == one


@pytest.mark.parametrize("status", [Status.LIVE, Status.EDITING])
def test_in_a_restored_state_what_was_in_the_weights_is_in_force_no_longer(room, status):
    one = room.live() if status is Status.LIVE else room.editing()
    room.ledger.forget(one.id, actor=room.admin, is_restored=True)
    gone = room.ledger.get(one.id)
    assert (gone.status, gone.erased) == (Status.ROLLED_BACK if status is Status.LIVE else Status.CLOSED, True)


def test_a_report_is_kept_only_from_whom_it_belongs_to(room):
    mine = room.flag(comment="I was there")
    assert not room.ledger.keep(mine.id, of=[room.admin.id])
    assert room.ledger.keep(mine.id, of=[room.user.id])
    room.vault.erase_person(room.user.id)
    assert room.ledger.get(mine.id).comment == "I was there"


def test_a_fact_that_outlives_its_reporter_keeps_what_reviewers_wrote_to_verify_it_with(room):
    queued = room.queued()
    wordings = {"paraphrases": ["Whose is the Mona Lisa?"], "probes": ["Name its painter."], "neighbours": ["Who?"]}
    room.ledger.revise(queued.id, room.reviewer, **wordings)
    room.ledger.approve(queued.id, room.admin)
    room.ledger.adopt(queued.id, actor=room.admin)
    room.vault.erase_person(room.user.id)
    kept = room.ledger.get(queued.id)
    assert {name: list(getattr(kept, name)) for name in wordings} == wordings
    assert kept.claim.question == kept.claim.canonical_question == queued.claim.canonical_question != ""
