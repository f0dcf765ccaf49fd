"""Whose doing a changed reply is: how much each edit of a set adds to it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from editing.chat import Chat
from editing.decoder import Decoder
from editing.edit_set import Solution
from editing.replies import Reply

# Rows whose activations are held at once, times the model's width: 16 of the embedded model's, two of a 7-8B model's.
ROWS_WIDTH = 9_216


def blame(decoder: Decoder, chat: Chat, solution: Solution, replies: Sequence[tuple[str, Reply]]) -> Tensor:
    """How many nats each edit adds to what the unedited model's replies cost the edited one, (replies, artefacts).

    decoder  holds the solution's tensors (see `Editor.applied`)
    replies  questions with the unedited model's replies

    To first order, for all edits together in one pass forwards and back: a matrix's output at a token is the base's and
    what each edit adds there, its values times what its detectors find in the token's key; each such part is taken
    times the loss's gradient there. This is attribution patching (Nanda 2023) with the edits for components.
    """
    rows = []
    for question, reply in replies:
        before = chat.encode(chat.prompt(question))
        target = chat.target(before, reply.text, end_turn=reply.stopped)
        rows.append(((*before.tokens, *target), len(before.tokens)))
    found = torch.zeros(len(rows), len(solution.artefact_ids), dtype=torch.float64)
    factors = {
        layer: tuple(factor.float().to(decoder.device) for factor in (delta.right, delta.left))
        for layer, delta in solution.deltas.items()
    }
    at_once = max(1, ROWS_WIDTH // decoder.hidden_size)
    for start in range(0, len(rows), at_once):
        chunk = rows[start : start + at_once]
        batch = decoder.rows([tokens[:-1] for tokens, _ in chunk])
        with torch.enable_grad(), decoder.watched(list(solution.deltas)) as seen:
            states = decoder.states(batch)
            said = [decoder.head(states[i, at - 1 : len(tokens) - 1]) for i, (tokens, at) in enumerate(chunk)]
            asked = [token for tokens, at in chunk for token in tokens[at:]]
            meant = torch.tensor(asked, dtype=torch.long, device=decoder.device)
            loss = cross_entropy(torch.cat(said).float(), meant, reduction="sum")
            gradients = torch.autograd.grad(loss, [output for _, output in seen.values()])
        for (layer, (keys, _)), gradient in zip(seen.items(), gradients, strict=True):
            right, left = factors[layer]
            fired = keys.float() @ right.T
            felt = gradient.float() @ left
            added = (fired * felt).sum(dim=1).double().cpu()
            owners = torch.tensor(solution.owners[layer], dtype=torch.long)
            found[start : start + len(chunk)].index_add_(1, owners, added)
    return found
