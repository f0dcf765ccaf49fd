from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.memit.contexts import Role, contexts_for
from editing.memit.values import find_values, prepare, subject_place
from editing.statements import write_statements
from editing.testing import TINY, TINY_CONFIGS, tiny_editor


def _contexts(editor, facts):
    said = [write_statements(f.question, f.subject, f.target_new) for f in facts]
    return contexts_for(facts, said, editor.chat, editor.config)


def _detectors(editor, n_groups=1):
    """Any directions will do: what fires is what is trained."""
    generator = torch.Generator().manual_seed(1)
    width = {layer: editor.decoder.matrix(layer).shape[1] for layer in editor.config.layers}
    return {layer: 0.2 * torch.randn(n_groups, 1, d_in, generator=generator) for layer, d_in in width.items()}


def _preconditioners(editor, *, spread=0.0):
    """Directions that count alike, or not: symmetric, random."""
    generator = torch.Generator().manual_seed(2)
    noise = {layer: torch.randn(32, 32, generator=generator) for layer in editor.config.layers}
    return {layer: torch.eye(32) + spread * (random + random.T) for layer, random in noise.items()}


def _find(editor, groups, detectors, preconditioners=None):
    config = editor.config
    batch = prepare(editor.decoder, groups, config)
    place = subject_place(batch, detectors, preconditioners or _preconditioners(editor), config)
    return find_values(editor.decoder, batch, [place], steps=config.steps, stop_nll=config.stop_nll)


def plain_loss(editor, contexts, detectors, values):
    """The loss as it is written down: whole rows, whole model, one at a time. Returns loss and mean NLL."""
    decoder, model = editor.decoder, editor.decoder.model
    n_edit = sum(row.role is Role.EDIT for row in contexts)
    loss, nll = torch.zeros(()), torch.zeros(())
    for row in contexts:
        tokens = torch.tensor([row.tokens])
        base = model(tokens).logits[0].detach()
        handles = []
        for number, layer in enumerate(editor.config.layers):

            def add(_module, args, output, at=row.subject_at, detector=detectors[layer][0, 0], value=values[number]):
                fired = args[0] @ detector * (torch.arange(args[0].shape[1]) >= at)
                return output + fired.unsqueeze(-1) * value

            handles.append(decoder.mlp_out(layer).register_forward_hook(add))
        logits = model(tokens).logits[0]
        for handle in handles:
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
    contexts, detectors = _contexts(editor, facts[:1]), _detectors(editor)
    preconditioners = _preconditioners(editor, spread=0.1)
    found = _find(editor, [contexts], detectors, preconditioners)
    longest = found.places[0].longest[0, :, None]

    def turned():
        return torch.stack([p @ u for p, u in zip(preconditioners.values(), coordinates, strict=True)])

    coordinates = torch.zeros(2, 32, requires_grad=True)
    optimiser = torch.optim.Adam([coordinates], lr=editor.config.learning_rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / 3)
    for _ in range(3):
        optimiser.zero_grad()
        loss, nll = plain_loss(editor, contexts, detectors, turned())
        loss.backward()
        optimiser.step()
        falling.step()
        with torch.no_grad():
            coordinates *= (longest / coordinates.norm(dim=1, keepdim=True)).clamp(max=1.0)
    assert float(found.nll) == pytest.approx(float(nll.detach()), abs=1e-4)
    torch.testing.assert_close(found.places[0].values[0, :, 0], turned().detach(), atol=2e-3, rtol=1e-2)


def test_facts_in_one_batch_find_what_they_find_alone(facts):
    editor = tiny_editor(config=replace(TINY, steps=4))
    groups = [_contexts(editor, [fact]) for fact in facts]
    detectors = _detectors(editor, len(groups))
    together = _find(editor, groups, detectors)
    for number, group in enumerate(groups):
        alone = _find(editor, [group], {layer: all_[number : number + 1] for layer, all_ in detectors.items()})
        found = together.places[0].values[number]
        torch.testing.assert_close(alone.places[0].values[0], found, atol=2e-3, rtol=1e-2)
        assert int(alone.steps) == int(together.steps[number])


def test_what_is_optimised_is_what_the_edited_weights_do(facts):
    """The targets' likelihood under the solved weights is the one that the optimisation ended with."""
    editor = tiny_editor(config=replace(TINY, steps=12))
    artefact = editor.artefact(facts[:1])
    rows = [row for row in _contexts(editor, facts[:1]) if row.role is Role.EDIT]

    def mean_nll():
        logits = [(row, editor.decoder.model(torch.tensor([row.tokens])).logits[0]) for row in rows]
        each = [cross_entropy(said[r.target_at - 1 : -1], torch.tensor(r.tokens[r.target_at :])) for r, said in logits]
        return float(sum(each) / len(each))

    before = mean_nll()
    with editor.applied(editor.solve([artefact])):
        after = mean_nll()
    assert abs(after - artefact.nll) < 0.15 * (before - artefact.nll)


def test_a_converged_fact_takes_no_step(facts):
    editor = tiny_editor(config=replace(TINY, stop_nll=100.0))
    found = _find(editor, [_contexts(editor, facts[:1])], _detectors(editor))
    assert int(found.steps) == 0
    assert not found.places[0].values.any()


def test_the_clamp_bounds_each_layers_vector(facts):
    editor = tiny_editor(config=replace(TINY, clamp=0.05, learning_rate=5.0))
    group = _contexts(editor, facts[:1])
    (place,) = _find(editor, [group], _detectors(editor)).places
    question = editor.decoder.rows([group[0].tokens])
    last = editor.decoder.run(question, until=editor.config.layers[-1] + 1).last[0, group[0].subject_at]
    lengths = place.values[0, :, 0].norm(dim=1)
    assert 0 < float(lengths.max()) <= 0.05 * float(last.norm()) * (1 + 1e-5)


def test_keeping_other_replies_costs_some_of_the_edit_and_moves_them_less(facts):
    recipe = replace(TINY, steps=6, protect_weights=(1.0,), kl_weight=0.0, keep_tokens=4)
    free, held = (tiny_editor(config=replace(recipe, keep_weight=weight)) for weight in (0.0, 20.0))
    assert free.artefact(facts[:1]).nll < held.artefact(facts[:1]).nll
    assert _moved(held, facts[0]) < _moved(free, facts[0])


def _moved(editor, fact):
    """KL between what the base and the edited model predict first at the protected questions."""
    rows = [row for row in _contexts(editor, [fact]) if row.role is Role.PROTECT][: editor.config.keep_questions]

    def predicted():
        return torch.stack([editor.decoder.model(torch.tensor([row.tokens])).logits[0, -1] for row in rows])

    before = log_softmax(predicted(), -1)
    with editor.applied(editor.solve([editor.artefact([fact])])):
        return float(kl_div(log_softmax(predicted(), -1), before, log_target=True, reduction="batchmean"))
