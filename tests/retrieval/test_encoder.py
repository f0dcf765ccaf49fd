"""The encoder as plain products says what the library's does, padded or not, and one pass serves embedding and head."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel

from retrieval.embedder import SHARED_LAYERS, TransformerEmbedder, _fused, load_embedder
from retrieval.freshness import FreshnessHead


@pytest.fixture
def bert() -> BertModel:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64}
    return BertModel(BertConfig(vocab_size=50, **sizes)).eval()


@pytest.mark.parametrize("lengths", [(5,), (7, 7), (3, 9, 6)])
def test_states_are_the_librarys(bert: BertModel, lengths: tuple[int, ...]) -> None:
    encoder = _fused(bert)
    assert encoder is not None
    ids = torch.randint(1, 50, (len(lengths), max(lengths)))
    mask = torch.tensor([[1] * length + [0] * (max(lengths) - length) for length in lengths])
    with torch.inference_mode():
        states = encoder.run(encoder.embedded(ids), mask, range(4))
        right = bert(input_ids=ids, attention_mask=mask).last_hidden_state
    kept = mask.bool()
    assert torch.allclose(states[kept], right[kept], atol=1e-5)


def test_another_kind_of_encoder_is_left_to_the_library(bert: BertModel) -> None:
    bert.config.hidden_act = "relu"
    assert _fused(bert) is None


@pytest.mark.heavy
def test_the_head_takes_up_where_the_embedding_has_been() -> None:
    embedder: TransformerEmbedder = load_embedder()
    head = FreshnessHead.load(embedder=embedder)
    question = "Who is the CEO of Apple?"
    alone = head.predict([question])[0].probability
    embedder.embed([question])
    assert embedder.lower([question], SHARED_LAYERS) is not None
    assert head.predict([question])[0].probability == pytest.approx(alone, abs=1e-6)
    assert head.predict(["Who wrote Hamlet?", question])[1].probability == pytest.approx(alone, abs=1e-5)
