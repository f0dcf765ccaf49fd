"""What acts against leaks: keys that are protected, and that all edits of a set know of one another."""

from dataclasses import replace

import pytest
import torch

from editing.memit.contexts import Role
from editing.memit.detectors import NO_VALUE, Columns, detectors
from editing.memit.solve import Covariance, solve
from editing.testing import TINY, tiny_editor

SHORT = replace(TINY, steps=1, per_context=True)


def _fires(editor, artefact, role):
    """How much of its value the edit adds at its rows of one role, the first layer's mean."""
    change = editor.solve([artefact]).deltas[TINY.layers[0]]
    rows = [number for number, (row, _) in enumerate(artefact.contexts) if row.role is role]
    return float((artefact.keys[0][rows].double() @ change.right[0]).mean())


def test_protected_keys_fire_less_than_unprotected_ones(facts):
    free = tiny_editor(config=replace(SHORT, protect_weights=(1e-6,)))
    held = tiny_editor(config=replace(SHORT, protect_weights=(10.0,)))
    left, kept = (_fires(editor, editor.artefact(facts[:1]), Role.PROTECT) for editor in (free, held))
    assert abs(kept) < 0.5 * abs(left)


def test_an_edit_is_one_rank_however_many_rows_it_has(facts):
    for per_context in (True, False):
        editor = tiny_editor(config=replace(SHORT, protect_weights=(1.0,), per_context=per_context))
        artefact = editor.artefact(facts[:1])
        assert len(artefact.contexts) > 2
        assert editor.solve([artefact]).deltas[1].rank == 1


def test_strength_is_how_much_an_edit_fires_at_its_own_rows_when_it_is_alone(facts):
    editor = tiny_editor(config=replace(SHORT, layers=(1,), protect_weights=(1.0,)))
    artefact = editor.artefact(facts[:1])
    assert artefact.strength == pytest.approx(_fires(editor, artefact, Role.EDIT), abs=1e-5)
    assert 0 < artefact.strength < 1


def test_no_row_is_both_moved_and_kept(facts):
    editor = tiny_editor(config=replace(SHORT, protect_weights=(1.0,)))
    rows = [row for row, _ in editor.artefact(facts[:1]).contexts]
    moved = {row.tokens for row in rows if row.role is Role.EDIT}
    assert moved.isdisjoint(row.tokens for row in rows if row.role is Role.PROTECT)


def _columns(keys, moved):
    slots = torch.tensor([0 if one else NO_VALUE for one in moved])
    return Columns(keys.unsqueeze(0), torch.ones(len(keys), dtype=torch.float64) / sum(moved), slots)


def test_each_subject_fires_at_its_own_keys_and_not_at_the_others():
    generator = torch.Generator().manual_seed(0)
    keys = torch.randn(4, 16, generator=generator)
    found = detectors(
        [_columns(keys[:2], [True, False]), _columns(keys[2:], [True, True])],
        0,
        Covariance(torch.eye(16)),
        weight=1e-6,
        closed_form=solve,
    )
    fired = found @ keys.double().T
    torch.testing.assert_close(fired, torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 1]]).double(), atol=1e-4, rtol=0)


def test_each_value_of_a_subject_has_a_direction_of_its_own():
    generator = torch.Generator().manual_seed(0)
    keys = torch.randn(5, 16, generator=generator)
    two = Columns(keys[:3].unsqueeze(0), torch.ones(3, dtype=torch.float64), torch.tensor([0, 1, 0]), 2)
    nobody = replace(_columns(keys[4:], [True]), keys=torch.zeros(1, 0, 16), weights=torch.zeros(0).double())
    nobody = replace(nobody, slots=torch.zeros(0, dtype=torch.long), n_slots=0)
    found = detectors(
        [two, nobody, _columns(keys[3:], [True, False])],
        0,
        Covariance(torch.eye(16)),
        weight=1e-6,
        closed_form=solve,
    )
    expected = torch.tensor([[1.0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]]).double()
    torch.testing.assert_close(found @ keys.double().T, expected, atol=1e-4, rtol=0)


def test_averages_are_one_row_for_each_value():
    keys = torch.arange(16.0).reshape(4, 4)
    columns = Columns(keys.unsqueeze(0), torch.ones(4).double(), torch.tensor([1, 0, 1, NO_VALUE]), 2).averaged()
    assert columns.slots.tolist() == [0, 1, NO_VALUE]
    assert columns.weights.tolist() == [1.0, 2.0, 1.0]
    torch.testing.assert_close(columns.keys[0], torch.stack([keys[1], keys[[0, 2]].mean(dim=0), keys[3]]))


def test_an_average_counts_as_one_row():
    keys = torch.arange(12.0).reshape(3, 4)
    columns = _columns(keys, [True, True, False]).averaged()
    assert columns.moved.tolist() == [True, False]
    torch.testing.assert_close(columns.keys[0], torch.stack([keys[:2].mean(dim=0), keys[2]]))
    assert float(columns.weights[0]) == pytest.approx(1.0)
