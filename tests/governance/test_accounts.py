"""People: signing in, keys, sessions, and what the log knows of them."""

import time

import pytest

from governance.accounts import Role
from governance.errors import InvalidAccount, NotFound


def test_an_account_signs_in_by_password_and_by_key(room):
    new = room.accounts.add("ann", Role.USER)
    assert room.accounts.by_key(new.key) == new.account
    assert room.accounts.by_session(room.accounts.sign_in("ann", new.password)) == new.account
    assert room.accounts.sign_in("ann", "wrong") is None
    assert room.accounts.sign_in("nobody", new.password) is None
    assert room.accounts.by_key("sk-errata-unknown-key") is None
    assert room.accounts.named("ann") == room.accounts.get(new.account.id) == new.account


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("k" * 16, True),
        ("k" * 200, True),
        ("ab cd ef gh ij kl", True),
        ("k" * 15, False),
        ("k" * 201, False),
        ("k" * 15 + "é", False),
        ("k" * 15 + "\n", False),
        (" " + "k" * 16, False),
    ],
)
def test_keys_that_people_choose(room, key, good):
    if good:
        assert room.accounts.by_key(room.accounts.add("ann", Role.USER, key=key).key).name == "ann"
    else:
        with pytest.raises(InvalidAccount):
            room.accounts.add("ann", Role.USER, key=key)


@pytest.mark.parametrize("name", ["", "a b", "<img>", "x" * 65, "a\n"])
def test_names_that_cannot_be_used(room, name):
    with pytest.raises(InvalidAccount):
        room.accounts.add(name, Role.USER)


def test_names_and_keys_are_unique(room):
    room.accounts.add("ann", Role.USER, key="k" * 16)
    with pytest.raises(InvalidAccount, match="taken"):
        room.accounts.add("ann", Role.ADMIN)
    with pytest.raises(InvalidAccount, match="in use"):
        room.accounts.add("bob", Role.USER, key="k" * 16)


def test_a_disabled_account_is_out_at_once_and_a_reset_lets_it_in_again(room):
    new = room.accounts.add("ann", Role.USER)
    token = room.accounts.start_session(new.account.id)
    assert room.accounts.by_session(token) == new.account
    room.accounts.disable("ann")
    assert room.accounts.by_session(token) is None
    assert room.accounts.by_key(new.key) is None
    assert room.accounts.sign_in("ann", new.password) is None
    again = room.accounts.reset("ann")
    assert room.accounts.by_key(again.key) == again.account
    assert room.accounts.by_key(new.key) is None
    assert room.accounts.by_session(token) is None


def test_signing_out_ends_the_session_on_the_server(room):
    tokens = [room.accounts.start_session(room.user.id) for _ in range(2)]
    room.accounts.end_session(tokens[0])
    assert room.accounts.by_session(tokens[0]) is None
    assert room.accounts.by_session(tokens[1]) == room.user


def test_a_session_ends_by_itself(room):
    token = room.accounts.start_session(room.user.id)
    with room.store.transaction():
        room.store.write("UPDATE sessions SET expires = '2020-01-01T00:00:00.000000Z'")
    assert room.accounts.by_session(token) is None


def test_no_secret_and_no_name_is_in_the_log_and_no_secret_in_the_file(room):
    new = room.accounts.add("ann-zebra", Role.USER)
    token = room.accounts.start_session(new.account.id)
    room.store.truncate_wal()
    log = "".join(entry.text for entry in room.log.entries())
    assert "ann-zebra" not in log
    assert new.account.pseudonym in log
    data = room.store.path.read_bytes()
    for secret in (new.key, new.password, token):
        assert secret.encode() not in data
        assert secret not in log


def test_an_erased_account_keeps_only_its_pseudonym(room):
    new = room.accounts.add("ann-zebra", Role.USER)
    room.accounts.erase(new.account.id, actor=room.admin)
    assert room.accounts.by_key(new.key) is None
    left = room.accounts.get(new.account.id)
    assert left.pseudonym == new.account.pseudonym
    assert "zebra" not in left.name
    with pytest.raises(NotFound):
        room.accounts.named("ann-zebra")


def test_an_operator_has_one_pseudonym(room):
    assert room.accounts.operator("root") == room.accounts.operator("root") != room.accounts.operator("ann")


def test_a_key_is_looked_up_in_well_under_a_millisecond(room):
    key = room.accounts.add("ann", Role.USER).key
    room.accounts.by_key(key)
    start = time.perf_counter()
    for _ in range(200):
        room.accounts.by_key(key)
    assert (time.perf_counter() - start) / 200 < 0.002


ROLES = {
    Role.USER: (True, False, False),
    Role.AUDITOR: (False, False, False),
    Role.REVIEWER: (True, True, False),
    Role.ADMIN: (True, True, True),
}


@pytest.mark.parametrize("role", Role)
def test_roles(role):
    assert (role.may_report, role.may_review, role.may_administer) == ROLES[role]
