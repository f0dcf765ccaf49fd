"""Teacher-forced scores against the plain computation."""

import pytest
import torch
from tokenizers.processors import TemplateProcessing

from editing.chat import Chat
from editing.decoder import Decoder
from editing.scoring import answer_log_probs, perplexity
from editing.testing import tiny_model, tiny_tokenizer

TEXTS = ["A short text.", "Another one, somewhat longer than the first."]


@pytest.fixture(scope="module")
def decoder():
    return Decoder(tiny_model())


def _surprise(decoder, tokens):
    with torch.no_grad():
        scores = torch.log_softmax(decoder.model(torch.tensor([tokens])).logits[0], dim=-1)
    return [-float(scores[at - 1, tokens[at]]) for at in range(1, len(tokens))]


@pytest.mark.parametrize("adds_bos", [False, True])
def test_perplexity_is_that_of_rows_that_begin_as_the_tokenizer_begins_a_text(decoder, adds_bos):
    tokenizer = tiny_tokenizer()
    if adds_bos:
        start = TemplateProcessing(single="<|start|> $A", special_tokens=[("<|start|>", tokenizer.bos_token_id)])
        tokenizer.backend_tokenizer.post_processor = start
    surprises = [each for text in TEXTS for each in _surprise(decoder, tokenizer(text)["input_ids"])]
    expected = float(torch.tensor(surprises).mean().exp())
    assert perplexity(decoder, Chat(tokenizer), TEXTS) == pytest.approx(expected, rel=1e-4)


def test_what_is_read_is_told_while_it_is_read(decoder):
    told = []
    perplexity(decoder, Chat(tiny_tokenizer()), TEXTS * 5, row_tokens=4, progress=lambda *step: told.append(step))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    asked = [("It was painted by", "Raphael", False)] * 40
    answered = []
    answer_log_probs(decoder, Chat(tiny_tokenizer()), asked, progress=lambda *step: answered.append(step))
    assert answered == [(16, 40), (32, 40), (40, 40)]


def test_an_answer_is_scored_by_the_mean_of_its_tokens(decoder):
    chat = Chat(tiny_tokenizer())
    before = chat.encode_bare("It was painted by")
    target = chat.target(before, "Raphael", end_turn=False, bare=True)
    surprises = _surprise(decoder, [*before.tokens, *target])[-len(target) :]
    (score,) = answer_log_probs(decoder, chat, [("It was painted by", "Raphael", False)])
    assert score == pytest.approx(-sum(surprises) / len(surprises), rel=1e-4)
