"""The editor: facts to artefacts, artefacts to one joint solution, a solution applied and taken back."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from editing.chat import chat_of
from editing.decoder import Decoder
from editing.edit_set import Artefact, Solution
from editing.errors import ArtefactMismatch, EditDiverged
from editing.facts import Fact, check_fact, group_by_subject
from editing.generation import continue_rows, reply_to
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role, chat_row, contexts_for, with_target
from editing.memit.covariance import Statistics
from editing.memit.keys import KeyRows, Seen
from editing.memit.solve import LowRankDelta, solve, strengths
from editing.memit.target_states import find_target_states
from editing.replies import Reply
from editing.scoring import perplexity
from editing.statements import Statements, write_statements

log = logging.getLogger(__name__)

# (keys, residuals, covariance, weight) -> change; MEMIT's is `solve`, other closed forms fit in its place.
ClosedForm = Callable[..., LowRankDelta]


class Editor:
    """Edits one model. The model is bit-identical before and after every method, and after `applied` is left.

    model          a transformers causal language model of a known family, on any device, in the dtype to compute in
    statistics     of this very model (see memit/covariance.py)
    base_sha256    names the model; artefacts and statistics of another are refused
    serving_dtype  what edited tensors are cast to, once: the dtype of the checkpoint that is served
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        config: MemitConfig,
        statistics: Statistics,
        base_sha256: str | None = None,
        serving_dtype: torch.dtype | None = None,
    ) -> None:
        self.decoder = Decoder(model)
        self.chat = chat_of(model, tokenizer)
        self.config = config
        self.statistics = statistics
        self.base_sha256 = base_sha256 or statistics.base_sha256
        self.serving_dtype = serving_dtype or self.decoder.dtype
        if config.layers[-1] + 1 >= len(self.decoder.layers):
            raise ValueError(f"layers {config.layers!r} leave no layer above in a model of {len(self.decoder.layers)}")
        statistics.check(base_sha256=self.base_sha256, layers=config.layers)
        model.eval().requires_grad_(False)
        self._base = {
            layer: self.decoder.weight(layer).detach().to(device="cpu", dtype=self.serving_dtype, copy=True)
            for layer in config.layers
        }

    def with_config(self, config: MemitConfig) -> "Editor":
        """The same model under another recipe. The layers' statistics must be there."""
        return Editor(
            self.decoder.model,
            self.chat.tokenizer,
            config=config,
            statistics=self.statistics,
            base_sha256=self.base_sha256,
            serving_dtype=self.serving_dtype,
        )

    # -- facts to artefacts

    def artefact(self, facts: Sequence[Fact], statements: Sequence[Statements] | None = None) -> Artefact:
        """The edit of one subject's facts; the expensive part, and independent of every other edit.

        statements  one per fact; written by rule if not given

        Raises FactRefused if a fact is unfit, SubjectNotFound, EditDiverged; each names the fact.
        """
        return self.artefacts_of([facts], None if statements is None else [statements])[0]

    def artefacts(self, facts: Iterable[Fact]) -> list[Artefact]:
        """Facts grouped by subject, one artefact each. Raises on the first unfit fact; see facts.without_refused."""
        return self.artefacts_of(list(group_by_subject(facts).values()))

    def artefacts_of(
        self, groups: Sequence[Sequence[Fact]], statements: Sequence[Sequence[Statements]] | None = None
    ) -> list[Artefact]:
        """One artefact per group of facts. On a GPU groups share batches; on a CPU one group fills the cores."""
        at_once = 32 if self.decoder.device.type == "cuda" else 1
        written = statements or [
            [write_statements(f.question, f.subject, f.target_new) for f in group] for group in groups
        ]
        made: list[Artefact] = []
        for start in range(0, len(groups), at_once):
            made += self._artefacts(groups[start : start + at_once], written[start : start + at_once])
        return made

    def _artefacts(
        self, groups: Sequence[Sequence[Fact]], statements: Sequence[Sequence[Statements]]
    ) -> list[Artefact]:
        contexts = []
        for facts, said in zip(groups, statements, strict=True):
            for fact in facts:
                check_fact(fact)
            contexts.append(contexts_for(facts, said, self.chat, self.config))
        if self.config.keep_weight > 0:
            contexts = self._with_kept(contexts, groups, statements)
        states = find_target_states(self.decoder, contexts, self.config)
        made = []
        for facts, rows, state in zip(groups, contexts, states, strict=True):
            if not bool(torch.isfinite(state.delta).all()):
                raise EditDiverged(f"the target state of fact {facts[0].id!r} is not finite; lower the learning rate")
            edited = [row for row in rows if row.role is Role.EDIT]
            keys = self._mean_keys(edited)
            first = self.config.layers[0]
            strength = strengths(keys[:1].T, self.statistics.covariances[first], weight=self.config.weight_for(1))
            made.append(
                Artefact(
                    fact_ids=tuple(fact.id for fact in facts),
                    base_sha256=self.base_sha256,
                    config_sha256=self.config.sha256(),
                    statistics_sha256=self.statistics.sha256,
                    layers=self.config.layers,
                    contexts=_key_contexts(rows, self.config.protect_weights[0]),
                    delta=state.delta,
                    keys=keys,
                    norm=state.norm,
                    nll=state.nll,
                    steps=state.steps,
                    strength=float(strength[0]),
                )
            )
        return made

    def _mean_keys(self, rows: Sequence[Context]) -> Tensor:
        """Mean key of every edited layer on the unedited model, (layers, d_in)."""
        looked = KeyRows(self.decoder, rows, self.config.layers)
        return torch.stack([looked.look(layer, {}).keys.mean(dim=0).cpu() for layer in self.config.layers])

    def _with_kept(
        self,
        contexts: Sequence[Sequence[Context]],
        groups: Sequence[Sequence[Fact]],
        statements: Sequence[Sequence[Statements]],
    ) -> list[list[Context]]:
        """The same groups with the base's own replies to other questions about their subjects."""
        rows: list[list[Context]] = []
        for facts, said in zip(groups, statements, strict=True):
            subject = facts[0].subject
            asked = [q for s in said for q in s.held if subject.casefold() in q.casefold()]
            system = self.config.systems[0]
            rows.append(
                [chat_row(self.chat, q, subject, "", system=system) for q in asked[: self.config.keep_questions]]
            )
        flat = [row for group in rows for row in group]
        written = (
            continue_rows(
                self.decoder, [row.tokens for row in flat], max_tokens=self.config.keep_tokens, stops=self.chat.stops
            )
            if flat
            else []
        )
        replies = iter(written)
        return [
            [*known, *(with_target(row, next(replies), Role.KEEP) for row in group)]
            for known, group in zip(contexts, rows, strict=True)
        ]

    # -- artefacts to tensors

    def solve(self, artefacts: Iterable[Artefact], *, closed_form: ClosedForm = solve) -> Solution:
        """All artefacts jointly, from the base: a pure function of their set. Order does not matter.

        MEMIT, algorithm 1: for each edited layer, ascending, keys on the model as changed so far, and of what is still
        missing at the last layer an equal share.
        Raises ArtefactMismatch if one was made on another base or for other layers, EditDiverged.
        """
        chosen = [artefact for _, artefact in sorted({a.id: a for a in artefacts}.items())]
        for artefact in chosen:
            self._check(artefact)
        deltas: dict[int, LowRankDelta] = {}
        if chosen:
            columns = _Columns(chosen, per_context=self.config.per_context)
            rows = KeyRows(self.decoder, columns.contexts, self.config.layers)
            weight = self.config.weight_for(sum(len(a.fact_ids) for a in chosen))
            goal: Tensor | None = None
            for number, layer in enumerate(self.config.layers):
                seen = rows.look(layer, {low: self._edited(low, deltas[low]) for low in deltas})
                if goal is None:
                    goal = seen.hidden + columns.deltas.to(seen.hidden.device)
                missing = (goal - seen.hidden) / (len(self.config.layers) - number)
                keys, residuals = columns.gather(seen, missing)
                covariance = self.statistics.covariances[layer].to(keys.device)
                deltas[layer] = closed_form(keys, residuals, covariance, weight=weight)
        return Solution(
            artefact_ids=tuple(a.id for a in chosen),
            deltas={layer: _on_cpu(deltas[layer]) if layer in deltas else self._nothing(layer) for layer in self._base},
            names={layer: self.decoder.family.weight_name(layer) for layer in self._base},
            base=dict(self._base),
            transposed=self.decoder.family.transposed,
            config_sha256=self.config.sha256(),
            base_sha256=self.base_sha256,
        )

    @contextmanager
    def applied(self, solution: Solution) -> Iterator[None]:
        """Inside, the model holds the tensors as they are served; after, the very same bits as before."""
        tensors = {layer: solution.tensor(layer) for layer in solution.deltas}
        with self.decoder.with_weights(tensors):
            yield

    # -- talking

    def generate(self, prompts: Sequence[str], max_tokens: int = 128, system: str | None = None) -> list[Reply]:
        """Greedy replies through the chat template, run to their natural end or `max_tokens`."""
        return reply_to(self.decoder, self.chat, prompts, max_tokens=max_tokens, system=system)

    def perplexity(self, texts: Sequence[str]) -> float:
        """exp of the mean negative log-likelihood per token over ordinary text."""
        return perplexity(self.decoder, self.chat, texts)

    # -- inside

    def _check(self, artefact: Artefact) -> None:
        if artefact.base_sha256 != self.base_sha256:
            raise ArtefactMismatch(
                f"the artefact of {', '.join(artefact.fact_ids)!r} belongs to model {artefact.base_sha256[:12]!r},"
                f" not to {self.base_sha256[:12]!r}: compute it again"
            )
        if artefact.layers != self.config.layers:
            raise ArtefactMismatch(
                f"the artefact of {', '.join(artefact.fact_ids)!r} was made for layers {artefact.layers!r},"
                f" the settings edit {self.config.layers!r}: compute it again"
            )

    def _edited(self, layer: int, delta: LowRankDelta) -> Tensor:
        """The weight as stored with a change, in the model's dtype, uncast: the solve sees no rounding of its own."""
        change = delta.matrix()
        stored = self.decoder.weight(layer).detach()
        return (stored.double() + (change.T if self.decoder.family.transposed else change)).to(stored.dtype)

    def _nothing(self, layer: int) -> LowRankDelta:
        d_out, d_in = self.decoder.matrix(layer).shape
        return LowRankDelta(torch.zeros(d_out, 0, dtype=torch.float64), torch.zeros(0, d_in, dtype=torch.float64))


def _on_cpu(delta: LowRankDelta) -> LowRankDelta:
    return LowRankDelta(delta.left.cpu(), delta.right.cpu())


def _key_contexts(rows: Sequence[Context], protect_weight: float) -> tuple[tuple[Context, float], ...]:
    """The rows a solve needs, cut after the subject: edited ones share weight 1, protected ones `protect_weight`."""
    edited = list(dict.fromkeys(_cut(row) for row in rows if row.role is Role.EDIT))
    protected = list(dict.fromkeys(_cut(row) for row in rows if row.role is Role.PROTECT))
    # A key that another question shares up to the subject cannot be both moved and kept.
    moved = {row.tokens for row in edited}
    protected = [row for row in protected if row.tokens not in moved]
    return tuple(
        [(row, 1.0 / len(edited)) for row in edited] + [(row, protect_weight / len(protected)) for row in protected]
    )


def _cut(row: Context) -> Context:
    return replace(row, tokens=row.key_tokens, target_at=row.subject_at + 1)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which row of which artefact becomes which column of the system."""

    artefacts: Sequence[Artefact]
    per_context: bool

    @property
    def contexts(self) -> list[Context]:
        return [row for artefact in self.artefacts for row, _ in artefact.weighed]

    @property
    def deltas(self) -> Tensor:
        """What each row's hidden state shall gain, (rows, hidden): the delta, or nothing for a protected row."""
        return torch.stack(
            [
                artefact.delta if row.role is Role.EDIT else torch.zeros_like(artefact.delta)
                for artefact in self.artefacts
                for row, _ in artefact.weighed
            ]
        )

    def gather(self, seen: Seen, missing: Tensor) -> tuple[Tensor, Tensor]:
        """Keys (d_in, columns) and residuals (d_out, columns) of the system, in float64, scaled by their weights."""
        needed = missing.double() / seen.gain.double()
        all_keys = seen.keys.double()
        keys: list[Tensor] = []
        residuals: list[Tensor] = []
        start = 0
        for artefact in self.artefacts:
            n = len(artefact.weighed)
            weights = torch.tensor([w for _, w in artefact.weighed], dtype=torch.float64, device=all_keys.device)
            edited = torch.tensor([row.role is Role.EDIT for row, _ in artefact.weighed], device=all_keys.device)
            k, r = all_keys[start : start + n], needed[start : start + n]
            if self.per_context:
                keys += list(k * weights.sqrt().unsqueeze(1))
                residuals += list(r * weights.sqrt().unsqueeze(1))
            else:
                share = (weights[edited] / weights[edited].sum()).unsqueeze(1)
                keys.append((k[edited] * share).sum(dim=0))
                residuals.append((r[edited] * share).sum(dim=0))
                keys += list(k[~edited] * weights[~edited].sqrt().unsqueeze(1))
                residuals += list(r[~edited] * weights[~edited].sqrt().unsqueeze(1))
            start += n
        return torch.stack(keys, dim=1), torch.stack(residuals, dim=1)
