"""How wrong attempts are counted: to the last moment of a wait, by address too, and for a bounded number of keys."""

from __future__ import annotations

import pytest

from governance.accounts import NAME_LENGTH
from server.throttle import SignInThrottle, Throttle

HERE, ELSEWHERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def sign_ins() -> SignInThrottle:
    return SignInThrottle(clock=lambda: 0.0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.throttle.MOST_KEPT", 3)


def test_a_wait_lasts_to_its_last_moment() -> None:
    moment = [0.0]
    throttle = Throttle(free=1, clock=lambda: moment[0])
    assert throttle.failed("a").wait_s == 1
    moment[0] = 0.9
    assert throttle.wait_s("a") == 1
    moment[0] = 1.0
    assert throttle.wait_s("a") == 0


def test_attempts_are_remembered_for_an_hour_after_the_last_one() -> None:
    moment = [0.0]
    throttle = Throttle(free=9, clock=lambda: moment[0])
    wrong = []
    for moment[0] in (0.0, 3_600.0, 7_200.0, 10_801.0):
        wrong.append(throttle.failed("a").wrong)
    assert wrong == [1, 2, 3, 1]


def test_of_very_many_keys_those_that_were_wrong_last_are_kept(few: None) -> None:
    throttle = Throttle(free=9, clock=lambda: 0.0)
    for key in ("a", "b", "c", "a", "d"):
        throttle.failed(key)
    assert [throttle.failed("a").wrong, throttle.failed("d").wrong] == [3, 2]
    assert throttle.failed("b").wrong == 1


def test_of_very_many_that_signed_in_the_last_ones_stay_trusted(few: None, sign_ins: SignInThrottle) -> None:
    for name in ("a", "b", "c", "a", "d"):
        sign_ins.begun(name, HERE)
        sign_ins.succeeded(name, HERE)
    assert [name for name, _ in sign_ins._trusted] == ["c", "a", "d"]


def test_an_address_that_tried_many_names_is_not_heard_with_a_right_password_either(sign_ins: SignInThrottle) -> None:
    for n in range(30):
        assert sign_ins.begun(f"name{n}", HERE).is_heard
    assert sign_ins.wait_s("user", HERE) > 0
    assert not sign_ins.begun("user", HERE).is_heard
    assert sign_ins.begun("user", ELSEWHERE).is_heard


def test_who_signs_in_makes_the_account_s_wrong_attempts_forgotten_everywhere(sign_ins: SignInThrottle) -> None:
    for _ in range(4):
        sign_ins.begun("user", ELSEWHERE)
    sign_ins.begun("user", HERE)
    sign_ins.succeeded("user", HERE)
    refusal = sign_ins.begun("user", ELSEWHERE)
    assert (refusal.is_heard, refusal.wait_s) == (True, 0)


def test_the_longest_name_of_an_account_is_counted_by_itself(sign_ins: SignInThrottle) -> None:
    for n in range(8):
        sign_ins.begun("x" * (NAME_LENGTH[1] + 1 + n), f"10.0.1.{n}")
    assert sign_ins.wait_s("y" * NAME_LENGTH[1], HERE) == 0
    assert sign_ins.wait_s("y" * (NAME_LENGTH[1] + 1), HERE) > 0
