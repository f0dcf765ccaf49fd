"""Culprits: as few as must leave, and the others hold what is asked of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editing.culprits import Asked, culprits
from editing.rates import Rate

BOUNDS = {"enough": 30, "neighbours": 0.95, "unrelated": 0.9, "subject": 0.8}
EDITS = "abcdef"


def _unrelated(lost, of=62):
    """So many well-known answers, some lost; of each of those, who has which part in it."""
    kept = [Asked("unrelated", f"kept {n}", None, kept=True) for n in range(of - len(lost))]
    return kept + [Asked("unrelated", f"lost {n}", None, False, by) for n, by in enumerate(lost)]


def test_who_lost_most_leaves_and_nobody_else():
    assert culprits(_unrelated([{"a": 1.0}, *[{"b": 1.0}] * 4, *[{"c": 1.0}] * 3]), BOUNDS) == {"b": 4.0}


def test_nobody_leaves_while_the_shares_hold():
    assert culprits(_unrelated([{"a": 1.0}] * 6), BOUNDS) == {}


def test_who_leaves_anyway_takes_along_what_it_lost():
    asked = _unrelated([*[{"a": 1.0}] * 4, *[{"b": 1.0}] * 3])
    assert set(culprits(asked, BOUNDS)) == {"a"}
    assert culprits(asked, BOUNDS, leaving=["b"]) == {}


def test_of_what_many_did_a_little_as_many_leave_as_bring_back_enough():
    shared = dict.fromkeys("abcd", 0.25)
    assert culprits(_unrelated([shared] * 8), BOUNDS) == {"d": 2.0}
    assert culprits(_unrelated([shared] * 10), BOUNDS) == {"d": 2.5, "c": 2.5}


def test_for_less_than_half_a_reply_none_leaves_beside_others():
    asked = _unrelated([*[{"a": 1.0}] * 3, *[{"b": 0.04, "c": 0.03}] * 8])
    assert set(culprits(asked, BOUNDS)) == {"a"}
    assert culprits(asked, BOUNDS, leaving=["a"]) == {}
    assert culprits(_unrelated([{"b": 0.04, "c": 0.03}] * 8), BOUNDS) == {"b": pytest.approx(0.32)}


def test_what_an_edit_brought_leaves_with_it():
    own = [Asked("neighbours", f"near {n}", "a", n > 2, {} if n > 2 else {"a": 1.0}) for n in range(4)]
    others = [Asked("neighbours", f"far {n}", "b", kept=True) for n in range(40)]
    assert set(culprits([*own, *others], BOUNDS)) == {"a"}


def test_a_reply_that_is_worse_in_two_ways_counts_once():
    lost = [Asked(name, f"lost {n}", None, False, {"a": 1.0}) for n in range(9) for name in ("unrelated", "stops")]
    assert culprits([*_unrelated([]), *lost], {**BOUNDS, "stops": 0.9}) == {"a": 9.0}


def test_facts_of_one_edit_bring_back_no_more_than_there_is():
    asked = [Asked("unrelated", f"lost {n}", None, False, {"a": 0.7, "b": 0.7, "c": 0.3}) for n in range(9)]
    assert list(culprits([*_unrelated([]), *asked], BOUNDS)) == ["b"]
    assert culprits([*_unrelated([]), *asked], BOUNDS, leaving=["a", "b"]) == {}


def test_what_nobody_did_makes_nobody_leave():
    assert culprits([Asked("unrelated", str(n), None, kept=False) for n in range(40)], BOUNDS) == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["neighbours", "unrelated", "subject"]),
            st.sampled_from(EDITS),
            st.booleans(),
            st.dictionaries(st.sampled_from(EDITS), st.sampled_from([0.25, 0.5]), max_size=2),
        ),
        max_size=80,
    ),
    st.sets(st.sampled_from(EDITS), max_size=2),
)
def test_without_the_culprits_the_others_hold_or_nobody_is_left_who_lost_half_a_reply(rows, leaving):
    asked = [
        Asked(name, str(n), None if name == "unrelated" else owner, kept, {} if kept else by)
        for n, (name, owner, kept, by) in enumerate(rows)
    ]
    found = culprits(asked, BOUNDS, leaving)
    gone = leaving | set(found)
    assert not leaving & set(found)
    short: dict[str, float] = {}
    for name in ("neighbours", "unrelated", "subject"):
        mine = [one for one in asked if one.name == name and one.owner not in gone]
        if not Rate(int(_back(mine, gone)), len(mine)).holds(name, BOUNDS):
            for fact, part in ((f, p) for one in mine if not one.kept for f, p in one.by.items() if f not in gone):
                short[fact] = short.get(fact, 0.0) + part
    assert max(short.values(), default=0.0) < 0.5
    assert not short or gone
    if found:  # and without the last of them some share does not hold
        before = gone - {list(found)[-1]}
        left = [one for one in asked if one.owner not in before]
        names = {one.name for one in left}
        mine = {name: [one for one in left if one.name == name] for name in names}
        assert not all(Rate(int(_back(mine[name], before)), len(mine[name])).holds(name, BOUNDS) for name in names)


def _back(asked, gone):
    """How many of these replies stay, or come back once these facts are gone."""
    lost = (sum(part for fact, part in one.by.items() if fact in gone) for one in asked if not one.kept)
    return sum(one.kept for one in asked) + sum(min(1.0, part) for part in lost)
