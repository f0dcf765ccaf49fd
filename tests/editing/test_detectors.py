"""What acts against leaks: keys that are protected, and that all edits of a set know of one another."""

from dataclasses import replace

import pytest
import torch

from editing.memit.contexts import Role
from editing.memit.detectors import Columns, detectors
from editing.memit.solve import solve
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
    return Columns(keys.unsqueeze(0), torch.ones(len(keys), dtype=torch.float64) / sum(moved), torch.tensor(moved))


def test_each_subject_fires_at_its_own_keys_and_not_at_the_others():
    generator = torch.Generator().manual_seed(0)
    keys = torch.randn(4, 16, generator=generator)
    found = detectors(
        [_columns(keys[:2], [True, False]), _columns(keys[2:], [True, True])],
        0,
        torch.eye(16, dtype=torch.float64),
        weight=1e-6,
        closed_form=solve,
    )
    fired = found @ keys.double().T
    torch.testing.assert_close(fired, torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 1]]).double(), atol=1e-4, rtol=0)


def test_an_average_counts_as_one_row():
    keys = torch.arange(12.0).reshape(3, 4)
    columns = _columns(keys, [True, True, False]).averaged()
    assert columns.moved.tolist() == [True, False]
    torch.testing.assert_close(columns.keys[0], torch.stack([keys[:2].mean(dim=0), keys[2]]))
    assert float(columns.weights[0]) == pytest.approx(1.0)
