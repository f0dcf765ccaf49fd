"""Teacher-forced scores: how likely is an answer, how surprising is ordinary text."""

from collections.abc import Sequence
from math import exp

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from editing.chat import Chat
from editing.decoder import Decoder
from editing.progress import Progress


def answer_log_probs(
    decoder: Decoder, chat: Chat, asked: Sequence[tuple[str, str, bool]], *, progress: Progress | None = None
) -> list[float]:
    """Mean log-probability per token of each (prompt, answer, as chat?) triple."""
    rows: list[tuple[list[int], int]] = []
    for prompt, answer, as_chat in asked:
        before = chat.encode(chat.prompt(prompt)) if as_chat else chat.encode_bare(prompt)
        target = chat.target(before, answer, end_turn=False, bare=not as_chat)
        rows.append(([*before.tokens, *target], len(before.tokens)))
    scores: list[float] = [0.0] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    at_once = 128 if decoder.device.type == "cuda" else 16
    for start in range(0, len(order), at_once):
        chunk = order[start : start + at_once]
        picked = _log_probs(decoder, [rows[i][0] for i in chunk], [rows[i][1] for i in chunk])
        for i, values in zip(chunk, picked, strict=True):
            scores[i] = float(values.mean())
        if progress is not None:
            progress(start + len(chunk), len(order))
    return scores


def rows_of(chat: Chat, texts: Sequence[str], *, row_tokens: int = 256) -> list[list[int]]:
    """The texts as rows to be scored, each begun as the tokenizer begins a text; none for a text of one token."""
    encoded = [list(chat.encode(text).tokens) for text in texts]
    begin = chat.begin
    rows = [[*begin, *row[i : i + row_tokens]] for row in encoded for i in range(0, len(row), row_tokens)]
    return [row for row in rows if len(row) > 1]


def perplexity(
    decoder: Decoder, chat: Chat, texts: Sequence[str], *, row_tokens: int = 256, progress: Progress | None = None
) -> float:
    """exp of the mean negative log-likelihood per token over `texts`, in rows that begin as the tokenizer begins a
    text. The first token of each row is not counted.

    A row sees nothing of the one before it: one text in two halves is a little more surprising than whole.
    """
    rows = sorted(rows_of(chat, texts, row_tokens=row_tokens), key=len)
    if not rows:
        raise ValueError("no text to measure perplexity on: give texts of two tokens or more")
    total, counted = 0.0, 0
    at_once = 32 if decoder.device.type == "cuda" else 4
    for start in range(0, len(rows), at_once):
        chunk = rows[start : start + at_once]
        for values in _log_probs(decoder, chunk, [1] * len(chunk)):
            total -= float(values.double().sum())
            counted += len(values)
        if progress is not None:
            progress(start + len(chunk), len(rows))
    return exp(total / counted)


def _log_probs(decoder: Decoder, rows: Sequence[Sequence[int]], first: Sequence[int]) -> list[Tensor]:
    """Log-probability of each row's tokens from index `first` on."""
    with torch.no_grad():
        out = decoder.states(decoder.rows([row[:-1] for row in rows]))
        values = []
        for i, (row, start) in enumerate(zip(rows, first, strict=True)):
            logits = decoder.head(out[i, start - 1 : len(row) - 1]).float()
            targets = torch.tensor(list(row[start:]), device=decoder.device)
            values.append(log_softmax(logits, dim=-1).gather(1, targets.unsqueeze(1)).squeeze(1).cpu())
    return values
