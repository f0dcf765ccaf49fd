"""What an erasure destroys of our own records: with its entry, and whoever has a name like an erased one."""

import pytest
from tests_support_requests import chat, ready

from governance.backup import backup, restore
from governance.errors import Erased
from governance.requests import Subject
from governance.tombstones import Tombstone, Tombstones
from governance.tools import Tools


def test_what_is_destroyed_of_our_own_records_is_recorded_with_it_or_stays(room, erasures, monkeypatch):
    asked = chat(room, room.user, "Where does Ann Zebra-Lee live?")
    request = ready(room, erasures)

    def dies(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(erasures, "_keep_outcome", dies)
        with pytest.raises(KeyboardInterrupt):
            erasures.execute(request.id, room.admin, tools=Tools())
    assert room.answers.texts(asked)[0] == "Where does Ann Zebra-Lee live?"
    done = erasures.execute(request.id, room.admin, tools=Tools())
    assert sum(outcome.done for outcome in done.outcomes) > 0
    assert room.answers.texts(asked)[0] == ""


def test_a_login_that_reads_like_an_erased_one_is_erased_again_after_a_restore(room):
    account = room.accounts.add("erased-by-me", "user").account
    pseudonym = room.accounts.operator("erased_me")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    stones = Tombstones(room.path / "erased.jsonl")
    stones.add([Tombstone("account", account.id), Tombstone("operator", pseudonym)])
    given = {"vault": room.vault, "tombstones": stones, "ledger": room.ledger, "actor": "operator"}
    assert restore(room.store, room.path / "backup.db", **given).replayed == 2
    assert room.accounts.get(account.id).name == f"erased_{account.pseudonym}"
    assert room.store.value("SELECT COUNT(*) FROM operators WHERE name = 'erased_me'") == 0
    backup(room.store, room.log, room.path / "later.db", actor="operator")
    assert restore(room.store, room.path / "later.db", **given).replayed == 0


def test_an_erased_account_is_not_opened_again(room, erasures):
    request = ready(room, erasures, Subject((), (), room.user.id))
    erasures.execute(request.id, room.admin, tools=Tools())
    erased = room.accounts.get(room.user.id)
    with pytest.raises(Erased, match="make a new one"):
        room.accounts.reset(erased.name)
    assert room.accounts.get(room.user.id) == erased
