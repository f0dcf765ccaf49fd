"""The second place of an edit: where its answer stands in a reply, found with what it does at the subject in place."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy

from editing.edit_set import Artefact
from editing.errors import EditDiverged
from editing.facts import Fact
from editing.memit.answers import _columns, answer_columns, side_by_side
from editing.memit.contexts import Role, contexts_for, with_reply
from editing.memit.detectors import NO_VALUE
from editing.memit.values import Place, answer_place
from editing.statements import write_statements
from editing.testing import TINY, TINY_CONFIGS, tiny_editor

BOTH = replace(
    TINY,
    layers=(1,),
    answer_layers=(2,),
    steps=6,
    answer_steps=8,
    subject_rate=0.1,
    per_context=True,
    protect_weights=(0.25,),
    keep_questions=2,
    reply_tokens=5,
    answer_covariance_weight=0.05,
)


@pytest.fixture(scope="module")
def editor():
    return tiny_editor(config=BOTH)


def _rows(editor, fact):
    said = write_statements(fact.question, fact.subject, fact.target_new)
    return contexts_for([fact], [said], editor.chat, editor.config)


def test_the_answer_is_found_in_its_sentence_as_tokens(editor, facts):
    for fact in facts:
        rows = [row for row in _rows(editor, fact) if row.role is Role.EDIT and row.answer_at[1]]
        taught = [row for row in rows if row.target_at < row.answer_at[0]]
        assert len(taught) == 1 + BOTH.chat_paraphrases
        assert all(row.answer_at[1] < len(row.tokens) for row in taught)
        for row in rows:
            assert editor.chat.decode(row.tokens[slice(*row.answer_at)]).strip() == fact.target_new


def test_behind_other_sentences_the_answer_alone_is_asked_for(editor):
    fact = Fact("mona", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael")
    taught, *others = [row for row in _rows(editor, fact) if row.role is Role.EDIT and row.answer_at[1]]
    begun = [row for row in others if row.target_at == row.answer_at[0]]
    said = [editor.chat.decode(row.tokens[len(taught.tokens[: taught.target_at]) :]).strip() for row in begun]
    assert said == ["The painter of the Mona Lisa is Raphael", "The Mona Lisa is a painting by Raphael"]
    assert all(row.answer_at == (row.target_at, len(row.tokens)) for row in begun)


def test_an_answer_that_is_part_of_the_subject_is_found_beside_it(editor):
    fact = Fact("york", "New York", "What is the twin city of New York?", "York")
    said = replace(write_statements(fact.question, fact.subject, "York"), sentence="York is the twin city of New York.")
    row = contexts_for([fact], [said], editor.chat, BOTH)[0]
    assert row.answer_at[0] == row.target_at


def test_plain_questions_beside_are_none_that_is_trained_or_verifies(editor):
    facts = [
        Fact("a", "Acme", "Who founded Acme?", "Ann Ray"),
        Fact("b", "Acme", "What does Acme make?", "violins"),
    ]
    said = [write_statements(f.question, f.subject, f.target_new) for f in facts]
    said[0] = replace(said[0], probes=("Where is Acme?",))
    said[1] = replace(said[1], beside=("Who founded Acme?", "Where is Acme?", "How big is Acme?"))
    beside = [row for row in contexts_for(facts, said, editor.chat, BOTH) if row.role is Role.BESIDE]
    asked = {editor.chat.decode(row.tokens).partition("?")[0].rpartition("\n")[2] for row in beside}
    assert "How big is Acme" in asked
    assert not asked & {"Who founded Acme", "Where is Acme"}


def test_an_edit_with_no_answer_and_nothing_protected_puts_nothing_at_the_answer_s_place(facts):
    editor = tiny_editor(config=replace(BOTH, protect_weights=(0.0,)))
    said = replace(
        write_statements(facts[0].question, facts[0].subject, "Raphael"), sentence="Nobody knows.", clozes=()
    )
    artefact = editor.artefact(facts[:1], [said])
    assert artefact.answers.keys.shape == (1, 0, 64)
    assert sorted(editor.solve([artefact, editor.artefact(facts[1:2])]).deltas) == [1, 2]


def test_a_search_that_diverges_at_the_subject_names_its_fact(facts):
    editor = tiny_editor(config=replace(BOTH, learning_rate=1e38, clamp=1e38))
    with pytest.raises(EditDiverged, match="mona"):
        editor.artefact(facts[:1])


def test_a_sentence_that_is_the_answer_is_all_its_place(facts):
    editor = tiny_editor(config=replace(BOTH, sentence_target=False))
    row = _rows(editor, facts[0])[0]
    assert row.answer_at == (row.target_at, len(row.tokens) - 1)  # the last token ends the turn


def test_without_an_answer_layer_no_question_is_asked_beside(facts):
    editor = tiny_editor(config=replace(BOTH, answer_layers=()))
    assert not [row for row in _rows(editor, facts[0]) if row.role is Role.BESIDE]
    assert editor.artefact(facts[:1]).answers.n_slots == 0


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox"])
def test_keys_are_those_of_the_weights_that_hold_the_subject_s_values(kind, facts):
    editor = tiny_editor(kind, config=BOTH)
    decoder, (layer,), (above,) = editor.decoder, BOTH.layers, BOTH.answer_layers
    generator = torch.Generator().manual_seed(0)
    detector = 0.2 * torch.randn(1, 1, decoder.matrix(layer).shape[1], generator=generator)
    value = torch.randn(1, 1, 1, 32, generator=generator)
    place = Place({layer: detector}, torch.eye(32).unsqueeze(0), torch.ones(1, 1), torch.ones(1, 1), value)
    rows = [row for row in _rows(editor, facts[0]) if row.answer_at[1] or row.role is Role.PROTECT]
    rows = [with_reply(row, (5, 6, 7)) if row.role is Role.PROTECT else row for row in rows]
    (columns,) = answer_columns(decoder, [rows], place, replace(BOTH, answer_columns=99))

    changed = decoder.matrix(layer) + value[0, 0, 0].outer(detector[0, 0])
    own, kept = [], torch.zeros(0, decoder.matrix(above).shape[1])
    with decoder.with_weights({layer: changed.T if decoder.family.transposed else changed}):
        for row in rows:
            keys = decoder.run(decoder.rows([row.tokens]), record=[above], keys=True).mlp_inputs[above][0]
            if row.role is Role.EDIT:
                own.append(keys[row.answer_at[0] - 1 : row.answer_at[1] - 1])
            else:
                kept = torch.cat([kept, keys[row.target_at - 1 : -1]])
    assert columns.n_slots == len(own[0])
    assert columns.slots[columns.moved].tolist() == [*range(len(own[0]))] * len(own)
    # The shared head of the chats is not moved here, and hardly by the weights.
    torch.testing.assert_close(columns.keys[0, columns.moved], torch.cat(own), atol=0.15, rtol=0.15)
    grams = [keys.double().T @ keys.double() for keys in (columns.keys[0, ~columns.moved], kept)]
    torch.testing.assert_close(*grams, atol=0.05 * float(grams[1].abs().max()), rtol=0.1)


def test_protected_replies_become_their_main_directions_and_keep_their_weight():
    generator = torch.Generator().manual_seed(0)
    keys = torch.randn(1, 3, 16, generator=generator)
    kept = [torch.randn(1, 4, 16, generator=generator) for _ in range(5)]
    every, few = (
        _columns([[keys, keys]], kept, replace(BOTH, answer_protection=10.0, answer_columns=n), 16) for n in (99, 6)
    )
    assert every.weights[every.moved].tolist() == [0.5] * 6
    assert every.slots.tolist() == [0, 1, 2] * 2 + [NO_VALUE] * 16
    together = torch.cat(kept, dim=1)[0].double()
    seen = every.keys[0, ~every.moved].double()
    torch.testing.assert_close(0.5 * seen.T @ seen, 0.5 * together.T @ together, atol=1e-4, rtol=1e-4)
    assert set(every.weights[~every.moved].tolist()) == {10 / 20}
    assert int((~few.moved).sum()) == 6
    torch.testing.assert_close(few.keys[0, ~few.moved], every.keys[0, ~every.moved][:6])


def test_answers_of_unequal_length_lie_side_by_side():
    found = side_by_side([torch.ones(2, 4), torch.ones(3, 4)])
    assert found.shape == (2, 3, 4)
    assert found.sum(dim=2).tolist() == [[4, 4, 0], [4, 4, 4]]


def _nll(editor, fact):
    rows = [row for row in _rows(editor, fact) if row.role is Role.EDIT]
    logits = [editor.decoder.model(torch.tensor([row.tokens])).logits[0] for row in rows]
    each = [
        cross_entropy(said[row.target_at - 1 : -1], torch.tensor(row.tokens[row.target_at :]))
        for row, said in zip(rows, logits, strict=True)
    ]
    return float(sum(each) / len(each))


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_both_places_together_say_the_answer_better_than_the_subject_s_alone(kind, facts):
    editor, alone = tiny_editor(kind, config=BOTH), tiny_editor(kind, config=BOTH.at_subject_alone())
    artefact = editor.artefact(facts[:1])
    before = _nll(editor, facts[0])
    with editor.applied(editor.solve([artefact])):
        both = _nll(editor, facts[0])
    with alone.applied(alone.solve([alone.artefact(facts[:1])])):
        one = _nll(alone, facts[0])
    assert both < one < before
    # What was optimised is what the weights do, the detectors of the second place being made anew at the end.
    assert abs(both - artefact.nll) < 0.35 * (before - artefact.nll)
    assert artefact.answer_values.norm(dim=2).max() > 0
    assert artefact.answer_values.shape == (1, artefact.answers.n_slots, 32)


def test_an_edit_sought_with_quick_products_does_not_depend_on_what_was_asked_before(editor, facts):
    quick = tiny_editor(config=BOTH)
    quick.decoder.products = torch.bfloat16
    first = quick.artefact(facts[:1])
    quick.generate([facts[0].question], 4)
    assert quick.artefact(facts[:1]).id == first.id != editor.artefact(facts[:1]).id


def test_a_set_with_answers_is_order_free_and_undone_exactly(editor, facts):
    first, second = editor.artefact(facts[:1]), editor.artefact(facts[1:2])
    one, both = editor.solve([first]), editor.solve([first, second])
    assert both.tensors_sha256() == editor.solve([second, first]).tensors_sha256() != one.tensors_sha256()
    assert sorted(both.deltas) == [1, 2]
    assert both.deltas[2].rank == first.answers.n_slots + second.answers.n_slots
    assert editor.solve([first]).tensors_sha256() == one.tensors_sha256()


def test_an_artefact_with_answers_is_read_back_to_the_bit(editor, facts, tmp_path):
    artefact = editor.artefact(facts[:1])
    artefact.save(tmp_path)
    read = Artefact.load(tmp_path, artefact.id)
    assert read.answer_layers == (2,)
    assert editor.solve([read]).tensors_sha256() == editor.solve([artefact]).tensors_sha256()
    other = replace(artefact, answer_values=artefact.answer_values + 1)
    assert other.id != artefact.id


def test_a_fact_whose_sentences_do_not_hold_its_answer_is_edited_at_the_subject(editor, facts):
    said = replace(
        write_statements(facts[0].question, facts[0].subject, "Raphael"), sentence="Nobody knows.", clozes=()
    )
    artefact = editor.artefact(facts[:1], [said])
    assert artefact.answers.n_slots == 0
    assert artefact.values.any()
    assert float(editor.solve([artefact]).deltas[2].norm()) == 0
    other = editor.artefact(facts[1:2])
    assert editor.solve([artefact, other]).deltas[2].rank == other.answers.n_slots


def test_two_answers_about_one_subject_have_values_of_their_own(editor):
    facts = [
        Fact("a", "Ann Ray", "Where was Ann Ray born?", "Turin"),
        Fact("b", "Ann Ray", "What does Ann Ray do?", "glazier"),
    ]
    lengths = [editor.artefact([fact]).answers.n_slots for fact in facts]
    (merged,) = editor.artefacts(facts)
    assert merged.answers.n_slots == sum(lengths)


def test_the_answer_s_layers_share_one_length():
    for layers in ((2,), (2, 3, 4)):
        batch = SimpleNamespace(norms=lambda of: torch.full((1, len(of)), 10.0), above=torch.zeros(1, 1, 4))
        place = answer_place(
            batch, {layer: torch.zeros(1, 1, 8) for layer in layers}, replace(BOTH, answer_layers=layers)
        )
        torch.testing.assert_close(place.longest.sum(), torch.tensor(10 * BOTH.answer_clamp))
