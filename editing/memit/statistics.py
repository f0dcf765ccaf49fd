"""What ordinary text gives to the edited matrices and takes from them, from text the model writes or is given."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from editing.chat import Chat
from editing.decoder import Decoder
from editing.errors import StatisticsMismatch
from editing.files import write_tensors
from editing.memit.contexts import Context
from editing.memit.packing import Heads
from editing.memit.sensitivity import sensitivities
from editing.progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Second moments at the edited matrices: of their inputs, and of the gradients at their outputs.

    base_sha256    the model that they belong to
    corpus_sha256  the text that they come from
    n_tokens       how many tokens were counted for the covariances of the subject's layers
    n_felt         and for the sensitivities, from the same text; as many, and five for each direction of the keys at
                   least, for the covariances of the answer layers
    covariances    layer -> C = E[k kᵀ], (d_in, d_in), fp32, uncentred
    sensitivities  layer -> S, (d_out, d_out), fp32; see memit/sensitivity.py
    leads_sha256   questions about well-known subjects with the beginnings of their replies; empty if there are none
    leads          layer -> E[k kᵀ] over their subjects or, in the answer layers, over these beginnings
    """

    base_sha256: str
    corpus_sha256: str
    n_tokens: int
    n_felt: int
    covariances: dict[int, Tensor]
    sensitivities: dict[int, Tensor]
    leads_sha256: str = ""
    leads: dict[int, Tensor] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Names what the statistics are of, not their bytes: recomputing on another machine keeps the name."""
        layers = ",".join(map(str, sorted(self.covariances)))
        what = f"{self.base_sha256}|{self.corpus_sha256}|{self.n_tokens}|{self.n_felt}|{layers}|{self.leads_sha256}"
        return hashlib.sha256(what.encode()).hexdigest()

    def covariance(self, layer: int, share: float) -> Tensor:
        """Of ordinary text, and of well-known subjects for a share of its weight."""
        return self.covariances[layer] + share * self.leads[layer] if share and self.leads else self.covariances[layer]

    def check(self, *, base_sha256: str, layers: Sequence[int], answer_layers: Sequence[int] = ()) -> None:
        """Raises StatisticsMismatch if these belong to another model or lack a layer; of those of the answer's place no
        sensitivity is needed."""
        if self.base_sha256 != base_sha256:
            raise StatisticsMismatch(
                f"the statistics belong to model {self.base_sha256[:12]!r}, not to {base_sha256[:12]!r}:"
                " compute them anew"
            )
        wanted = {*layers, *answer_layers}
        missing = sorted((wanted - set(self.covariances)) | (set(layers) - set(self.sensitivities)))
        if missing:
            raise StatisticsMismatch(f"the statistics lack layers {missing!r}: compute them for {sorted(wanted)!r}")


def cache_key(
    *,
    base_sha256: str,
    corpus_sha256: str,
    layers: Sequence[int],
    answer_layers: Sequence[int] = (),
    max_tokens: int,
    max_felt: int,
    leads: Sequence[Context] = (),
    dtype: str,
) -> str:
    """A file name that changes with everything that the statistics depend on."""
    of = [
        base_sha256,
        corpus_sha256,
        sorted(layers),
        sorted(answer_layers),
        max_tokens,
        max_felt,
        leads_sha256(leads),
        dtype,
    ]
    what = json.dumps(of)
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def corpus_sha256(texts: Iterable[str], begin: tuple[int, ...] = ()) -> str:
    """Hash of a corpus, text by text, with the tokens that each row of it begins with."""
    whole = hashlib.sha256(repr(begin).encode() if begin else b"")
    for text in texts:
        whole.update(text.encode() + b"\0")
    return whole.hexdigest()


def leads_sha256(leads: Sequence[Context]) -> str:
    """Hash of the rows' tokens; empty if there are none."""
    tokens = json.dumps([row.tokens for row in leads])
    return hashlib.sha256(tokens.encode()).hexdigest() if leads else ""


def measure(
    decoder: Decoder,
    chat: Chat,
    texts: Sequence[str],
    *,
    base_sha256: str,
    layers: Sequence[int],
    answer_layers: Sequence[int] = (),
    max_tokens: int,
    max_felt: int,
    leads: Sequence[Context] = (),
    progress: Progress | None = None,
    row_tokens: int = 256,
    rows_at_once: int = 8,
) -> Statistics:
    """Stream `texts` through the model up to the last of `layers` and add up k kᵀ, `max_tokens` tokens at most; then
    the first `max_felt` of these tokens, or five for each direction of the keys, up to the last of `answer_layers` for
    theirs, and `max_felt` through the whole model and back for what `layers` feel; last the rows of `leads`.
    """
    encoded = [list(chat.encode(text).tokens) for text in texts if text]
    cut = [row[i : i + row_tokens] for row in encoded for i in range(0, len(row), row_tokens)]
    begin = list(chat.begin)  # without it such a model sees what it never saw in training
    rows = [row if row[: len(begin)] == begin else [*begin, *row] for row in cut]
    if not rows:
        raise StatisticsMismatch("there is no text to compute statistics from")
    n_deep = max(max_felt, 5 * decoder.matrix(answer_layers[0]).shape[1]) if answer_layers else 0
    counted, deep, felt = (_fit(rows, n) for n in (max_tokens, n_deep, max_felt))
    n_tokens, n_deep, n_felt = (sum(map(len, some)) for some in (counted, deep, felt))
    whole = n_tokens + n_deep + n_felt + sum(len(row.tokens) - row.head for row in leads)

    def told(before: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(before + done, whole)

    covariances = _covariances(decoder, counted, layers, rows_at_once, told(0))
    if answer_layers:
        covariances |= _covariances(decoder, deep, answer_layers, rows_at_once, told(n_tokens))
    return Statistics(
        base_sha256,
        corpus_sha256(texts, chat.begin),
        n_tokens,
        n_felt,
        covariances,
        sensitivities(decoder, felt, layers, progress=told(n_tokens + n_deep)),
        leads_sha256(leads),
        _moments_of(leads, decoder, layers, answer_layers, rows_at_once, told(n_tokens + n_deep + n_felt)),
    )


def _covariances(
    decoder: Decoder,
    rows: Sequence[Sequence[int]],
    layers: Sequence[int],
    rows_at_once: int,
    progress: Callable[[int], None] | None,
) -> dict[int, Tensor]:
    """Padding is never counted. Sums are float32 products accumulated in float64."""
    sums: dict[int, Tensor] = {}
    counted = 0
    for start in range(0, len(rows), rows_at_once):
        batch = decoder.rows(rows[start : start + rows_at_once])
        real = batch.attended.bool()
        with torch.no_grad():
            seen = decoder.run(batch, until=max(layers) + 1, record=list(layers), keys=True)
        for layer in layers:
            keys = seen.mlp_inputs[layer][real].float()
            product = (keys.T @ keys).double()
            if layer in sums:
                sums[layer] += product
            else:
                sums[layer] = product
        counted += int(real.sum())
        if progress is not None:
            progress(counted)
    return {layer: _mean(total, counted) for layer, total in sums.items()}


def _moments_of(
    leads: Sequence[Context],
    decoder: Decoder,
    layers: Sequence[int],
    answer_layers: Sequence[int],
    rows_at_once: int,
    progress: Callable[[int], None] | None,
) -> dict[int, Tensor]:
    """Of the keys at the rows' subjects and, in `answer_layers`, at what predicts the beginnings of their replies and what
    comes next."""
    keys: dict[int, list[Tensor]] = {layer: [] for layer in (*layers, *answer_layers)}
    done = 0
    for start in range(0, len(leads), rows_at_once):
        chunk = leads[start : start + rows_at_once]
        heads = Heads.of(decoder, chunk)
        batch = decoder.rows(
            [row.tokens[row.head :] for row in chunk], starts=[row.head for row in chunk], before=heads.mask(chunk)
        )
        with torch.no_grad():
            seen = decoder.run(batch, cache=heads.before(len(chunk)), until=max(keys) + 1, record=list(keys), keys=True)
        for number, row in enumerate(chunk):
            done += len(row.tokens) - row.head
            subject = slice(row.subject_at - row.head, row.subject_at - row.head + 1)
            reply = slice(row.target_at - 1 - row.head, len(row.tokens) - row.head)
            for layer, read in keys.items():
                read.append(seen.mlp_inputs[layer][number, reply if layer in answer_layers else subject].float())
        if progress is not None:
            progress(done)
    every = {layer: torch.cat(read) for layer, read in keys.items() if read}
    return {layer: _mean((read.T @ read).double(), len(read)) for layer, read in every.items()}


def _mean(total: Tensor, count: int) -> Tensor:
    """Symmetric to the bit, as it is read back: another process must solve the same tensors."""
    return ((total + total.T) / (2 * count)).float().cpu()


def _fit(rows: Sequence[list[int]], n_tokens: int) -> list[list[int]]:
    """As many of the rows' tokens as `n_tokens` allows."""
    fitting: list[list[int]] = []
    for row in rows:
        if n_tokens <= 0:
            break
        fitting.append(row[:n_tokens])
        n_tokens -= len(row)
    return fitting


def save(statistics: Statistics, path: Path) -> None:
    """Write to one safetensors file; the upper triangles are enough."""
    tensors: dict[str, Tensor] = {}
    for kind, matrices in (
        ("covariance", statistics.covariances),
        ("sensitivity", statistics.sensitivities),
        ("leads", statistics.leads),
    ):
        for layer, matrix in matrices.items():
            rows, columns = torch.triu_indices(*matrix.shape)
            tensors[f"{kind}.{layer}"] = matrix[rows, columns].contiguous()
    about = {
        "base_sha256": statistics.base_sha256,
        "corpus_sha256": statistics.corpus_sha256,
        "n_tokens": str(statistics.n_tokens),
        "n_felt": str(statistics.n_felt),
        "leads_sha256": statistics.leads_sha256,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(tensors, path, about)


def load(path: Path) -> Statistics:
    """Read what `save` wrote. Raises StatisticsMismatch if the file is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            read: dict[str, dict[int, Tensor]] = {"covariance": {}, "sensitivity": {}, "leads": {}}
            for name in file.keys():  # noqa: SIM118  (a safetensors file is not iterable)
                packed = file.get_tensor(name)
                size = int(((8 * packed.numel() + 1) ** 0.5 - 1) / 2)
                full = torch.zeros(size, size)
                rows, columns = torch.triu_indices(size, size)
                full[rows, columns] = packed
                full[columns, rows] = packed
                kind, _, layer = name.partition(".")
                read[kind][int(layer)] = full
            names = about["base_sha256"], about["corpus_sha256"], int(about["n_tokens"]), int(about["n_felt"])
            leads = about["leads_sha256"]
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise StatisticsMismatch(f"statistics file {path.name!r} cannot be read ({error}): delete it") from error
    return Statistics(*names, read["covariance"], read["sensitivity"], leads, read["leads"])


def load_or_measure(
    decoder: Decoder,
    chat: Chat,
    texts: Sequence[str],
    *,
    base_sha256: str,
    layers: Sequence[int],
    answer_layers: Sequence[int] = (),
    max_tokens: int,
    max_felt: int,
    leads: Sequence[Context] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Statistics from the cache in `folder` if there, else measured and cached."""
    path = None
    if folder is not None:
        name = cache_key(
            base_sha256=base_sha256,
            corpus_sha256=corpus_sha256(texts, chat.begin),
            layers=layers,
            answer_layers=answer_layers,
            max_tokens=max_tokens,
            max_felt=max_felt,
            leads=leads,
            dtype=str(decoder.dtype),
        )
        path = folder / f"{name}.safetensors"
        if path.exists():
            try:
                known = load(path)
                known.check(base_sha256=base_sha256, layers=layers, answer_layers=answer_layers)
                return known
            except StatisticsMismatch as error:
                log.warning("%s", error)
    measured = measure(
        decoder,
        chat,
        texts,
        base_sha256=base_sha256,
        layers=layers,
        answer_layers=answer_layers,
        max_tokens=max_tokens,
        max_felt=max_felt,
        leads=leads,
        progress=progress,
    )
    if path is not None:
        save(measured, path)
    return measured
