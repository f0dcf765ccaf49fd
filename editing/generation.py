"""Greedy replies in batches, and text that the model writes by itself."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from editing.chat import Chat
from editing.decoder import Decoder
from editing.progress import Progress
from editing.replies import Reply


def reply_to(
    decoder: Decoder,
    chat: Chat,
    questions: Sequence[str],
    *,
    max_tokens: int = 128,
    progress: Progress | None = None,
) -> list[Reply]:
    """Greedy replies through the chat template, to their natural end or `max_tokens`.

    Each question is answered once however often it is asked. Rows that have ended leave the batch.
    """
    order = sorted({q: len(q) for q in questions}.items(), key=lambda item: (item[1], item[0]))
    prompts = [(question, list(chat.encode(chat.prompt(question)).tokens)) for question, _ in order]
    head = chat.head(None)
    if any(tokens[: len(head)] != list(head) for _, tokens in prompts):
        head = ()
    at_once = 256 if decoder.device.type == "cuda" else 64
    stops = chat.stops
    answered: dict[str, Reply] = {}
    for start in range(0, len(prompts), at_once):
        chunk = prompts[start : start + at_once]
        rows = [tokens[len(head) :] for _, tokens in chunk]
        written = continue_rows(decoder, rows, max_tokens=max_tokens, stops=stops, head=head)
        for (question, _), tokens in zip(chunk, written, strict=True):
            stopped = bool(tokens) and tokens[-1] in stops
            answered[question] = Reply(chat.decode(tokens).strip(), stopped)
        if progress is not None:
            progress(len(answered), len(prompts))
    return [answered[question] for question in questions]


def continue_rows(
    decoder: Decoder,
    rows: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    stops: frozenset[int],
    head: Sequence[int] = (),
    pick: Callable[[Tensor], Tensor] | None = None,
) -> list[list[int]]:
    """The tokens that follow each row, the stopping token included; greedy unless `pick` chooses from the logits.

    head  tokens that stand before every row, such as a chat's system prompt: run once, not once a row
    """
    choose = pick or (lambda logits: logits.argmax(dim=-1))
    written: list[list[int]] = [[] for _ in rows]
    before = torch.ones(len(rows), len(head))
    batch = decoder.rows(rows, starts=[len(head)] * len(rows), before=before, left=True)
    cache = DynamicCache()
    if head:
        for layer, pair in enumerate(decoder.prefix(head).for_rows(len(rows)).pairs()):
            cache.update(*pair, layer)
    tokens, attended, positions = batch.tokens, batch.attended, batch.positions
    live = list(range(len(rows)))
    with torch.no_grad():
        for _ in range(max_tokens):
            out = decoder.base(
                input_ids=tokens, attention_mask=attended, position_ids=positions, past_key_values=cache, use_cache=True
            )
            next_tokens = choose(decoder.head(out.last_hidden_state[:, -1]).float())
            values = next_tokens.tolist()
            going = []
            for i, (row, token) in enumerate(zip(live, values, strict=True)):
                written[row].append(token)
                if token not in stops:
                    going.append(i)
            if not going:
                break
            if len(going) < len(live):
                kept = torch.tensor(going, device=decoder.device)
                cache.batch_select_indices(kept)
                next_tokens, attended, positions = next_tokens[kept], attended[kept], positions[kept]
                live = [live[i] for i in going]
            tokens = next_tokens.unsqueeze(1)
            attended = torch.cat([attended, torch.ones_like(tokens)], dim=1)
            positions = positions[:, -1:] + 1
    return written


def compose(
    decoder: Decoder,
    chat: Chat,
    *,
    n_tokens: int,
    seed: int = 0,
    row_tokens: int = 160,
    progress: Progress | None = None,
) -> list[str]:
    """Text that the model writes at temperature 1: half whole chats of its own, questions included, half from its first
    token alone.

    Deterministic for a seed on one machine and build.
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)

    def sample(logits: Tensor) -> Tensor:
        # Gumbel's trick on the CPU: one exact draw, the same for any device.
        uniform = torch.rand(logits.shape, generator=generator).clamp_(1e-20, 1.0)
        return (logits.cpu() - (-uniform.log()).log()).argmax(dim=-1).to(logits.device)

    first = chat.tokenizer.bos_token_id
    plain_start = [chat.end_of_turn if first is None else int(first)]
    chat_start = list(chat.head(None)) or [*plain_start]
    texts: list[str] = []
    counted = 0
    at_once = 256 if decoder.device.type == "cuda" else 32
    while counted < n_tokens:
        starts = [chat_start if i % 2 == 0 else plain_start for i in range(at_once)]
        rows = continue_rows(decoder, starts, max_tokens=row_tokens, stops=frozenset({-1}), pick=sample)
        for start, row in zip(starts, rows, strict=True):
            shown = start + row if start is chat_start else row
            texts.append(chat.tokenizer.decode(shown, skip_special_tokens=False))
            counted += len(shown)
        if progress is not None:
            progress(min(counted, n_tokens), n_tokens)
    return texts
