"""Selection: culprits leave, nobody else does, and it takes few solves."""

from hypothesis import given
from hypothesis import strategies as st

from editing.selection import choose
from editing.verify import FactReport, GateReport, Rate


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
    chosen = choose(lambda ids: _report(ids, bad, poison), names, rounds=rounds)
    assert set(chosen.chosen) == set(names) - bad - poison
    assert set(chosen.set_aside) == set(names) & (bad | poison)
    if rounds > 1 or not bad & {*names}:
        assert chosen.tries <= 4 + 2 * len(poison & set(names)) * (n.bit_length() + 2)


def test_many_failures_of_fifty_cost_two_solves():
    names = [str(i) for i in range(50)]
    bad = set(names[::4])
    assert choose(lambda ids: _report(ids, bad, set()), names, rounds=4).tries == 2
