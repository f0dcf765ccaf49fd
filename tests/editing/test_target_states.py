from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.memit.contexts import Role, contexts_for
from editing.memit.target_states import find_target_states
from editing.statements import write_statements
from editing.testing import TINY, TINY_CONFIGS, tiny_editor


def _contexts(editor, facts):
    said = [write_statements(f.question, f.subject, f.target_new) for f in facts]
    return contexts_for(facts, said, editor.chat, editor.config)


def plain_loss(editor, contexts, delta):
    """The loss as the paper says it: whole rows, whole model, delta added by a hook. Returns loss and mean NLL."""
    layer, model = editor.config.layers[-1], editor.decoder.model
    n_edit = sum(row.role is Role.EDIT for row in contexts)
    loss, nll = torch.zeros(()), torch.zeros(())
    for row in contexts:

        def add(_module, _args, output, at=row.subject_at):
            state = output[0] if isinstance(output, tuple) else output
            shift = torch.zeros_like(state)
            shift[0, at] = 1
            changed = state + shift * delta
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        tokens = torch.tensor([row.tokens])
        base = model(tokens).logits[0].detach()
        handle = editor.decoder.layers[layer].register_forward_hook(add)
        logits = model(tokens).logits[0]
        handle.remove()
        if row.role is Role.EDIT:
            said = logits[row.target_at - 1 : -1]
            nll = nll + cross_entropy(said, torch.tensor(row.tokens[row.target_at :])) / n_edit
        else:
            after, before = log_softmax(logits[row.target_at - 1], -1), log_softmax(base[row.target_at - 1], -1)
            loss = loss + editor.config.kl_weight * kl_div(after, before, log_target=True, reduction="sum")
    return loss + nll, nll


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_the_fast_path_takes_the_steps_of_the_plain_one(kind, facts):
    editor = tiny_editor(kind, config=replace(TINY, steps=3, kl_weight=0.5, stop_nll=0.0))
    contexts = _contexts(editor, facts[:1])
    (found,) = find_target_states(editor.decoder, [contexts], editor.config)

    delta = torch.zeros(32, requires_grad=True)
    optimiser = torch.optim.Adam([delta], lr=editor.config.learning_rate)
    for _ in range(3):
        optimiser.zero_grad()
        loss, nll = plain_loss(editor, contexts, delta)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            delta *= min(1.0, editor.config.clamp * found.norm / float(delta.norm()))
    assert found.nll == pytest.approx(float(nll.detach()), abs=1e-4)
    torch.testing.assert_close(found.delta, delta.detach(), atol=2e-3, rtol=1e-2)


def test_facts_in_one_batch_find_what_they_find_alone(facts):
    editor = tiny_editor(config=replace(TINY, steps=4))
    groups = [_contexts(editor, [fact]) for fact in facts]
    together = find_target_states(editor.decoder, groups, editor.config)
    for group, state in zip(groups, together, strict=True):
        (alone,) = find_target_states(editor.decoder, [group], editor.config)
        torch.testing.assert_close(alone.delta, state.delta, atol=2e-3, rtol=1e-2)
        assert alone.steps == state.steps


def test_a_converged_fact_takes_no_step(facts):
    editor = tiny_editor(config=replace(TINY, stop_nll=100.0))
    (state,) = find_target_states(editor.decoder, [_contexts(editor, facts[:1])], editor.config)
    assert state.steps == 0
    assert not state.delta.any()


def test_the_clamp_bounds_the_vector(facts):
    editor = tiny_editor(config=replace(TINY, clamp=0.05, learning_rate=5.0))
    (state,) = find_target_states(editor.decoder, [_contexts(editor, facts[:1])], editor.config)
    assert float(state.delta.norm()) <= 0.05 * state.norm * (1 + 1e-5)


def test_keeping_other_replies_costs_some_of_the_edit(facts):
    free = tiny_editor(config=replace(TINY, steps=6, kl_weight=0.0))
    held = tiny_editor(config=replace(TINY, steps=6, kl_weight=0.0, keep_weight=50.0))
    assert free.artefact(facts[:1]).nll < held.artefact(facts[:1]).nll
