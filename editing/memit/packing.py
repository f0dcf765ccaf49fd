"""Rows of one subject side by side in one line, each blind to the others: a batch of short rows without padding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editing.decoder import Decoder, FrozenCache, Rows
from editing.memit.contexts import Context

NOBODY = -1  # padding


@dataclass(frozen=True, slots=True)
class Heads:
    """The chat heads of some rows side by side in one cache, each computed once.

    texts  the heads, in the order of the cache
    cache  their keys and values as one row; None if no row has a head
    """

    texts: tuple[tuple[int, ...], ...]
    cache: FrozenCache | None

    @classmethod
    def of(cls, decoder: Decoder, rows: Sequence[Context]) -> "Heads":
        texts = tuple(sorted({row.tokens[: row.head] for row in rows if row.head}))
        if not texts:
            return cls((), None)
        each = [decoder.prefix(text).pairs() for text in texts]
        joined = [
            (
                torch.cat([pairs[layer][0] for pairs in each], dim=2),
                torch.cat([pairs[layer][1] for pairs in each], dim=2),
            )
            for layer in range(len(decoder.layers))
        ]
        return cls(texts, FrozenCache(joined))

    def before(self, n_rows: int) -> FrozenCache | None:
        """The heads before each of `n_rows` rows."""
        return self.cache and self.cache.for_rows(n_rows)

    def mask(self, rows: Sequence[Context]) -> Tensor:
        """Which position of the heads belongs to which row, (rows, length)."""
        mine = [[int(row.tokens[: row.head] == text) for text in self.texts for _ in text] for row in rows]
        return torch.tensor(mine, dtype=torch.long).reshape(len(rows), -1)

    def owner(self, row: Context) -> int:
        """The number by which the head of a row that has one is known in `Layout`."""
        return NOBODY - 1 - self.texts.index(row.tokens[: row.head])

    def places(self, n_lines: int) -> "Layout":
        """What stands in the cache before each line."""
        owners = [NOBODY - 1 - number for number, text in enumerate(self.texts) for _ in text]
        positions = [at for text in self.texts for at in range(len(text))]
        return Layout(*(torch.tensor([column] * n_lines).reshape(n_lines, -1) for column in (owners, positions)))


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in each line, (lines, length) each.

    owners     the row that a token belongs to, by its number in the line; heads have numbers of their own
    positions  the token's index in its own text
    """

    owners: Tensor
    positions: Tensor


@dataclass(frozen=True, slots=True)
class Lines:
    """One batch row per group of rows.

    rows    what the decoder runs
    begins  for each group, the column where each of its rows begins
    places  all that a pass behind this one would see, the cached tokens first
    """

    rows: Rows
    begins: list[list[int]]
    places: Layout


def line_up(
    decoder: Decoder,
    groups: Sequence[Sequence[Context]],
    part: Callable[[Context], tuple[int, int]],
    *,
    heads: Heads,
    behind: Layout,
) -> Lines:
    """Put a part of each row into its group's line; a token sees its own row up to itself, and its row's head.

    part    from which index to which other of a row's tokens
    behind  what stands in the cache that the lines will run behind
    """
    spans = [[part(row) for row in group] for group in groups]
    width = max(1, max(sum(end - start for start, end in line) for line in spans))
    tokens, owners, own_heads, positions = (torch.zeros(len(groups), width, dtype=torch.long) for _ in range(4))
    owners[:], own_heads[:] = NOBODY, NOBODY
    begins: list[list[int]] = []
    for g, (group, line) in enumerate(zip(groups, spans, strict=True)):
        begins.append([])
        at = 0
        for number, (row, (start, end)) in enumerate(zip(group, line, strict=True)):
            here = slice(at, at + end - start)
            tokens[g, here] = torch.tensor(row.tokens[start:end], dtype=torch.long)
            positions[g, here] = torch.arange(start, end)
            owners[g, here] = number
            own_heads[g, here] = heads.owner(row) if row.head else number
            begins[-1].append(at)
            at += end - start
    places = Layout(torch.cat([behind.owners, owners], dim=1), torch.cat([behind.positions, positions], dim=1))
    whose = places.owners.unsqueeze(1)
    mine = (whose == owners.unsqueeze(2)) | (whose == own_heads.unsqueeze(2))
    seen = mine & (places.positions.unsqueeze(1) <= positions.unsqueeze(2))
    hidden = torch.finfo(decoder.dtype).min
    mask = torch.zeros(seen.shape, dtype=decoder.dtype).masked_fill(~seen, hidden).unsqueeze(1)
    device = decoder.device
    return Lines(Rows(tokens.to(device), mask.to(device), positions.to(device)), begins, places)


def frozen_prefixes(
    decoder: Decoder, groups: Sequence[Sequence[Context]], heads: Heads
) -> tuple[FrozenCache | None, Layout]:
    """Keys and values of all tokens before the subject's last, of every row; None if there are none."""
    places = heads.places(len(groups))
    cache = heads.before(len(groups))
    if all(row.head == row.subject_at for group in groups for row in group):
        return cache, places
    between = line_up(decoder, groups, lambda row: (row.head, row.subject_at), heads=heads, behind=places)
    cache = cache or FrozenCache.empty(len(decoder.layers))
    decoder.run(between.rows, cache=cache)
    return cache.grown(), between.places
