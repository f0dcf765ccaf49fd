"""Another embedder is a folder or an id away: its pooling is read from its files, its vectors are kept apart."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import sqlite_utils
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from retrieval.documents import Document
from retrieval.embedder import HashEmbedder, load_embedder
from retrieval.errors import EmbedderUnavailable
from retrieval.retriever import HybridRetriever
from retrieval.store import KnowledgeStore

TEXTS = ["Der Aubach mündet in die Weser.", "青葉川は北港で海に注ぐ。", "แม่น้ำสายทองไหลลงสู่ทะเล"]


@pytest.fixture(params=["mean", "cls"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A multilingual encoder in small: XLM-RoBERTa with random weights, saved as sentence encoders are."""
    torch.manual_seed(0)
    characters = sorted({letter for text in TEXTS for letter in text})
    vocabulary = {word: n for n, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(tmp_path)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=80,
    )
    XLMRobertaModel(config).save_pretrained(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    pooling = {"pooling_mode_cls_token": request.param == "cls"}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return tmp_path


def test_a_multilingual_encoder_is_loaded_from_its_folder_and_searched_with(folder: Path) -> None:
    embedder = load_embedder(folder)
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (3, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, HashEmbedder(64))
    store.migrate()
    for text in TEXTS:
        store.add(Document("", text))
    store.embedder = embedder
    assert store.embed_missing() == 3
    assert [HybridRetriever.over(store).search(text)[0].text for text in TEXTS] == TEXTS


def test_a_folder_without_an_encoder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="safetensors"):
        load_embedder(tmp_path)


def test_what_a_model_wants_before_questions_and_passages_is_put_there(folder: Path) -> None:
    plain = load_embedder(folder)
    wanted = {"prompts": {"query": "青 ", "document": "แม่ "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(wanted))
    prompted = load_embedder(folder)
    assert prompted.name != plain.name
    for text in TEXTS:
        assert np.allclose(prompted.embed([text]), plain.embed(["青 " + text]), atol=1e-6)
        assert np.allclose(prompted.embed_passages([text]), plain.embed_passages(["แม่ " + text]), atol=1e-6)
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, prompted)
    store.migrate()
    assert np.allclose(store.prepare(Document("", TEXTS[0])).vectors, prompted.embed_passages([TEXTS[0]]), atol=1e-6)


def test_a_text_of_many_megabytes_is_read_no_further_than_the_window(folder: Path) -> None:
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')
    embedder = load_embedder(folder)
    beginning = TEXTS[0] * 300
    embedder.embed(["warm"])
    started = time.perf_counter()
    vector = embedder.embed([beginning + "n" * 30_000_000])
    assert time.perf_counter() - started < 2
    assert np.allclose(vector, embedder.embed([beginning]), atol=1e-6)
