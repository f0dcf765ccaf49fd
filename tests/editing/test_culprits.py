"""Culprits: as few as must leave, and the others hold what is asked of them."""

from hypothesis import given
from hypothesis import strategies as st

from editing.culprits import Asked, culprits
from editing.rates import Rate

BOUNDS = {"enough": 30, "neighbours": 0.95, "unrelated": 0.9, "subject": 0.8}
EDITS = "abcdef"


def _unrelated(lost, of=62):
    """So many well-known answers, those lost that each fact is to blame for."""
    by = [fact for fact, n in lost.items() for _ in range(n)]
    kept = [Asked("unrelated", f"kept {n}", None, kept=True) for n in range(of - len(by))]
    return kept + [Asked("unrelated", f"lost {n}", None, False, frozenset(fact)) for n, fact in enumerate(by)]


def test_who_lost_most_leaves_and_nobody_else():
    assert culprits(_unrelated({"a": 1, "b": 4, "c": 3}), BOUNDS) == {"b": [f"lost {n}" for n in range(1, 5)]}


def test_nobody_leaves_while_the_shares_hold():
    assert culprits(_unrelated({"a": 6}), BOUNDS) == {}


def test_what_an_edit_brought_leaves_with_it():
    own = [Asked("neighbours", f"near {n}", "a", n > 2, frozenset("a") if n <= 2 else frozenset()) for n in range(4)]
    others = [Asked("neighbours", f"far {n}", "b", kept=True) for n in range(40)]
    assert set(culprits([*own, *others], BOUNDS)) == {"a"}


def test_facts_of_one_edit_leave_together():
    lost = [Asked("unrelated", f"lost {n}", None, False, frozenset("ab")) for n in range(9)]
    assert set(culprits([*_unrelated({}), *lost], BOUNDS)) == {"a", "b"}


def test_what_nobody_did_makes_nobody_leave():
    assert culprits([Asked("unrelated", str(n), None, kept=False) for n in range(40)], BOUNDS) == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["neighbours", "unrelated", "subject"]),
            st.sampled_from(EDITS),
            st.booleans(),
            st.frozensets(st.sampled_from(EDITS), max_size=2),
        ),
        max_size=80,
    )
)
def test_without_the_culprits_the_others_hold_or_nobody_is_left_to_blame(rows):
    asked = [
        Asked(name, str(n), None if name == "unrelated" else owner, kept, frozenset() if kept else by)
        for n, (name, owner, kept, by) in enumerate(rows)
    ]
    gone = culprits(asked, BOUNDS)
    left = [one for one in asked if one.owner not in gone]
    lost = [one for one in left if not one.kept and one.by.isdisjoint(gone)]
    for name in {one.name for one in left}:
        mine = [one for one in left if one.name == name]
        rate = Rate(sum(one not in lost for one in mine), len(mine))
        assert rate.holds(name, BOUNDS) or not any(one.by for one in lost if one.name == name)
