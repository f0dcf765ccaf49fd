import pytest
import torch

from editing.chat import chat_of
from editing.decoder import Decoder
from editing.generation import continue_rows, reply_to, write_text
from editing.memit.contexts import contexts_for
from editing.memit.target_states import frozen_prefixes
from editing.statements import write_statements
from editing.testing import TINY, TINY_CONFIGS, tiny_model, tiny_tokenizer


def _contexts(model, facts):
    chat = chat_of(model, tiny_tokenizer())
    said = [write_statements(f.question, f.subject, f.target_new) for f in facts]
    return contexts_for(facts[:1], said[:1], chat, TINY) + contexts_for(facts[1:2], said[1:2], chat, TINY)


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_tails_behind_frozen_prefixes_see_what_whole_rows_see(kind, facts):
    model = tiny_model(kind)
    decoder = Decoder(model)
    contexts = _contexts(model, facts)
    with torch.no_grad():
        cache, before = frozen_prefixes(decoder, contexts)
        tails = [row.tokens[row.subject_at :] for row in contexts]
        batch = decoder.rows(tails, starts=[row.subject_at for row in contexts], before=before, left=False)
        seen = decoder.run(batch, cache=cache, record=[3])
        for i, row in enumerate(contexts):
            plain = model(torch.tensor([row.tokens])).logits[0, row.subject_at :]
            mine = decoder.logits(seen.last[i, : len(tails[i])])
            torch.testing.assert_close(mine, plain, atol=1e-4, rtol=1e-3)
            replayed = decoder.replay(seen, seen.inputs[3], [3])[i, : len(tails[i])]
            torch.testing.assert_close(replayed, seen.last[i, : len(tails[i])], atol=1e-6, rtol=1e-5)


def test_weights_come_back_in_the_same_storage():
    decoder = Decoder(tiny_model())
    before, where = decoder.weight(1).clone(), decoder.weight(1).data_ptr()
    with pytest.raises(RuntimeError, match="stop"), decoder.with_weights({1: torch.zeros_like(before)}):  # noqa: PT012
        assert not decoder.weight(1).any()
        raise RuntimeError("stop")
    assert torch.equal(decoder.weight(1), before)
    assert decoder.weight(1).data_ptr() == where


def test_a_pass_stops_at_the_last_wanted_layer():
    decoder = Decoder(tiny_model())
    called = []
    handle = decoder.layers[2].register_forward_hook(lambda *_: called.append(2))
    decoder.run(decoder.rows([[5, 6]], starts=[0], before=torch.zeros(1, 0), left=False), until=2)
    handle.remove()
    assert called == []
    assert len(decoder.base.layers) == 4


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox", "gemma2"])
def test_batched_replies_are_those_of_transformers_one_by_one(kind):
    model = tiny_model(kind)
    decoder = Decoder(model)
    rows = [[5, 6, 7], [9, 10, 11, 12, 13, 14], [20]]
    mine = continue_rows(decoder, rows, max_tokens=12, stops=frozenset({2}))
    for row, got in zip(rows, mine, strict=True):
        tokens = torch.tensor([row])
        want = model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=2,
            pad_token_id=0,
        )
        assert got == want[0, len(row) :].tolist()


def test_a_question_asked_twice_is_answered_once_and_in_place():
    model = tiny_model()
    replies = reply_to(Decoder(model), chat_of(model, tiny_tokenizer()), ["Who?", "What is it?", "Who?"], max_tokens=4)
    assert replies[0] == replies[2]
    assert len(replies) == 3


def test_own_text_is_the_same_for_the_same_seed():
    model = tiny_model()
    chat = chat_of(model, tiny_tokenizer())
    first, second = (write_text(Decoder(model), chat, n_tokens=200, seed=3, row_tokens=16) for _ in range(2))
    assert first == second
    assert write_text(Decoder(model), chat, n_tokens=200, seed=4, row_tokens=16) != first
