"""The ledger: who may do what to a correction, and that each act leaves exactly one entry."""

from governance.corrections import Remedy, Status


def test_a_report_goes_all_the_way_to_live_and_back(room):
    live = room.live()
    assert live.status is Status.LIVE
    assert live.weights_version_after == "v1"
    assert room.versions.served().id == "v1"
    assert room.ledger.request_rollback(live.id, room.admin, reason="wrong after all").undo_requested
    assert room.ledger.get(live.id).status is Status.LIVE
    room.ledger.published(version_id="base", rolled_back=[live.id])
    back = room.ledger.get(live.id)
    assert (back.status, back.undo_requested) == (Status.ROLLED_BACK, False)
    assert [move.to_status for move in back.moves] == [
        Status.FLAGGED,
        Status.QUEUED,
        Status.APPROVED,
        Status.EDITING,
        Status.LIVE,
        Status.ROLLED_BACK,
    ]


def test_knowledge_is_rolled_back_at_once(room):
    correction = room.approved(remedy=Remedy.KNOWLEDGE)
    room.ledger.to_knowledge(correction.id)
    assert room.ledger.request_rollback(correction.id, room.admin).status is Status.ROLLED_BACK
