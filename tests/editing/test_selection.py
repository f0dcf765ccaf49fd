"""Selection: culprits leave, nobody else does, and it takes few solves."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from editing.rates import Rate
from editing.selection import choose
from editing.verify import FactReport, GateReport


def _report(ids, bad, poison):
    ok = Rate(1, 1)
    facts = [FactReport(i, ok, ok, ok, ok, ("fails",) if i in bad else (), "") for i in ids]
    return GateReport(tuple(facts), {}, None, ("perplexity rose",) if poison & set(ids) else ())


@given(
    n=st.integers(1, 40),
    bad=st.sets(st.integers(0, 39), max_size=6),
    poison=st.sets(st.integers(0, 39), max_size=2),
    rounds=st.integers(1, 4),
)
def test_a_batch_loses_its_culprits_and_nobody_else(n, bad, poison, rounds):
    names = [str(i) for i in range(n)]
    bad, poison = {str(i) for i in bad}, {str(i) for i in poison}
    chosen = choose(lambda ids, held: _report([*held, *ids], bad, poison), names, rounds=rounds)
    assert set(chosen.chosen) == set(names) - bad - poison
    assert set(chosen.set_aside) == set(names) & (bad | poison)
    if rounds > 1 or not bad & {*names}:
        assert chosen.tries <= 4 + 2 * len(poison & set(names)) * (n.bit_length() + 2)


def test_no_rounds_are_one():
    assert choose(lambda ids, held: _report([*held, *ids], set(), set()), ["a", "b"], rounds=0).chosen == ("a", "b")


def test_many_failures_of_fifty_cost_two_solves():
    names = [str(i) for i in range(50)]
    bad = set(names[::4])
    assert choose(lambda ids, held: _report([*held, *ids], bad, set()), names, rounds=4).tries == 2


def test_who_is_blamed_for_the_release_leaves_together():
    names = [str(i) for i in range(20)]

    def judge(ids, held):
        blamed = {i: "moved 2 answers" for i in ids if i in ("3", "11")}
        return replace(_report(ids, set(), set()), reasons=("subject: 4 of 9",) if blamed else (), blamed=blamed)

    selection = choose(judge, names, rounds=4)
    assert selection.tries == 2
    assert set(selection.chosen) == set(names) - {"3", "11"}
    assert {found.reasons for found in selection.set_aside.values()} == {("subject: 4 of 9", "moved 2 answers")}


def test_who_fails_and_who_is_blamed_leave_in_one_try():
    names = [str(i) for i in range(20)]

    def judge(ids, held):
        blamed = {i: "moved 2 answers" for i in ids if i == "11"}
        return replace(_report(ids, {"3"}, set()), reasons=("unrelated: 4 of 9",) if blamed else (), blamed=blamed)

    selection = choose(judge, names, rounds=4)
    assert selection.tries == 2
    assert {i: found.reasons for i, found in selection.set_aside.items()} == {
        "3": ("fails",),
        "11": ("unrelated: 4 of 9", "moved 2 answers"),
    }


def test_what_has_passed_before_stays():
    names = [str(i) for i in range(8)]

    def judge(ids, held):
        assert held[0] == "held"
        bad = "5" in {*ids, *held}
        return replace(_report([*held, *ids], set(), set()), reasons=("subject: 4 of 9",) if bad else ())

    selection = choose(judge, names, rounds=4, held=("held",))
    assert set(selection.chosen) == set(names) - {"5"}


def test_an_edit_beside_which_one_fails_that_passed_before_is_told_so():
    def judge(ids, held):
        return _report([*held, *ids], {"held"} if ids else set(), set())

    selection = choose(judge, ["new"], rounds=4, held=("held",))
    assert selection.chosen == ()
    assert selection.set_aside["new"].reasons == ("an edit that passed before fails beside it",)
