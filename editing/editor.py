"""The editor: facts to artefacts, artefacts to one joint solution, a solution applied and taken back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from editing.blame import blame
from editing.chat import chat_of
from editing.decoder import Decoder
from editing.edit_set import Artefact, Solution, columns_of
from editing.errors import ArtefactMismatch, EditDiverged, EditingError
from editing.facts import Fact, checked, group_by_subject, subject_key
from editing.generation import continue_rows, reply_to
from editing.memit.answers import answer_columns, side_by_side
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role, contexts_for, key_contexts, with_reply
from editing.memit.detectors import ClosedForm, Columns, detectors
from editing.memit.keys import keys_of
from editing.memit.sensitivity import preconditioner
from editing.memit.solve import Covariance, LowRankDelta, solve
from editing.memit.statistics import Statistics
from editing.memit.values import Found, answer_place, find_values, prepare, subject_place
from editing.progress import Progress
from editing.replies import Reply
from editing.statements import Statements, write_statements

# Groups of facts that share a batch on a GPU, times the model's width: 56 of the embedded model's, 8 of a 7-8B model's,
# whose some 300 tokens each fill the matrix units without filling the memory.
GPU_WIDTH = 32_768


class Editor:
    """Edits one model. The model is bit-identical before and after every method, and after `applied` is left.

    model          a transformers causal language model of a known family, on any device, in the dtype to compute in
    statistics     of this very model (see memit/statistics.py)
    base_sha256    names the model; artefacts and statistics of another are refused
    products       what matrices are multiplied in while values are sought, if not the model's dtype
    serving_dtype  what edited tensors are cast to, once: the dtype of the checkpoint that is served
    closed_form    how many keys become one change of a matrix: MEMIT's least squares, or another method's
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        config: MemitConfig,
        statistics: Statistics,
        base_sha256: str | None = None,
        products: torch.dtype | None = None,
        serving_dtype: torch.dtype | None = None,
        closed_form: ClosedForm = solve,
    ) -> None:
        self.decoder = Decoder(model, products=products)
        self.chat = chat_of(model, tokenizer)
        self.statistics = statistics
        self.base_sha256 = base_sha256 or statistics.base_sha256
        self.serving_dtype = serving_dtype or self.decoder.dtype
        model.eval().requires_grad_(False)
        self._covariances: dict[tuple[int, float], Covariance] = {}
        self._take(config, closed_form)

    def _take(self, config: MemitConfig, closed_form: ClosedForm) -> None:
        self.config, self.closed_form = config, closed_form
        config.check_depth(len(self.decoder.layers))
        self.statistics.check(base_sha256=self.base_sha256, layers=config.layers, answer_layers=config.answer_layers)
        self._preconditioners = {
            layer: preconditioner(self.statistics.sensitivities[layer], config.sensitivity_floor)
            for layer in config.layers
        }
        self._base = {
            layer: self.decoder.weight(layer).detach().to(device="cpu", dtype=self.serving_dtype, copy=True)
            for layer in config.edited_layers
        }

    def under(self, config: MemitConfig, closed_form: ClosedForm = solve) -> "Editor":
        """The same model under another recipe. The layers' statistics must be there."""
        other = copy(self)
        other._take(config, closed_form)
        return other

    # -- facts to artefacts

    def artefact(self, facts: Sequence[Fact], statements: Sequence[Statements] | None = None) -> Artefact:
        """The edit of one subject's facts; the expensive part, and independent of every other edit.

        statements  one per fact, of whoever holds them to be of one subject; written by rule if not given

        Raises FactRefused if a fact is unfit, EditDiverged, each naming the fact; EditingError if they are not of one subject.
        """
        subjects = {subject_key(fact.subject): fact.subject for fact in checked(facts)}
        if len(subjects) != 1 and not (facts and statements):
            raise EditingError(f"one artefact is of one subject, not of {list(subjects.values())!r}: use `artefacts`")
        return self.artefacts_of([facts], None if statements is None else [statements])[0]

    def artefacts(self, facts: Iterable[Fact]) -> list[Artefact]:
        """Facts grouped by subject, one artefact each. Raises on the first unfit fact; see facts.without_refused."""
        return self.artefacts_of(list(group_by_subject(checked(facts)).values()))

    def artefacts_of(
        self,
        groups: Sequence[Sequence[Fact]],
        statements: Sequence[Sequence[Statements]] | None = None,
        progress: Progress | None = None,
    ) -> list[Artefact]:
        """One artefact per group of facts. On a GPU groups share batches; on a CPU one group fills the cores. All facts are
        looked at before the first is worked on.

        progress  told after each batch how many artefacts are made, of how many
        """
        if self.decoder.is_changed:
            raise EditingError("an edit is applied, and artefacts are of the unedited model: leave `applied` first")
        checked(fact for group in groups for fact in group)
        at_once = max(1, GPU_WIDTH // self.decoder.hidden_size) if self.decoder.device.type == "cuda" else 1
        written = statements or [
            [write_statements(f.question, f.subject, f.target_new) for f in group] for group in groups
        ]
        contexts = [contexts_for(*group, self.chat, self.config) for group in zip(groups, written, strict=True)]
        made: list[Artefact] = []
        for start in range(0, len(groups), at_once):
            made += self._as_fits(groups[start : start + at_once], contexts[start : start + at_once])
            if progress is not None:
                progress(len(made), len(groups))
        return made

    def _as_fits(self, groups: Sequence[Sequence[Fact]], contexts: Sequence[Sequence[Context]]) -> list[Artefact]:
        """Halves at a time where the GPU has no room for all."""
        try:
            return self._artefacts(groups, contexts)
        except torch.OutOfMemoryError:
            if len(groups) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(groups) // 2
        return self._as_fits(groups[:half], contexts[:half]) + self._as_fits(groups[half:], contexts[half:])

    def _artefacts(self, groups: Sequence[Sequence[Fact]], contexts: Sequence[Sequence[Context]]) -> list[Artefact]:
        layers = self.config.layers
        keyed = [key_contexts(rows, self.config.protect_weights[0]) for rows in contexts]
        keys = [keys_of(self.decoder, [row for row, _ in rows], layers) for rows in keyed]
        columns = [columns_of(rows, read) for rows, read in zip(keyed, keys, strict=True)]
        alone = {layer: torch.stack([self._detectors([one], layer) for one in columns]).float() for layer in layers}
        with self.decoder.quick():
            found, answers = self._search(groups, contexts, alone)
        made = []
        for number, facts in enumerate(groups):
            at_subject, *at_answer = (place.values[number].cpu() for place in found.places)
            values = at_subject[:, 0]
            answer_values = at_answer[0][:, : answers[number].n_slots] if at_answer else values.new_zeros(0, 0, 0)
            own = columns[number].keys[:, columns[number].moved]
            reach = [
                float((read @ alone[layer][number, 0].cpu()).mean()) for layer, read in zip(layers, own, strict=True)
            ]
            made.append(
                Artefact(
                    fact_ids=tuple(fact.id for fact in facts),
                    base_sha256=self.base_sha256,
                    config_sha256=self.config.sha256(),
                    statistics_sha256=self.statistics.sha256,
                    layers=layers,
                    contexts=keyed[number],
                    keys=keys[number],
                    values=values,
                    answer_layers=self.config.answer_layers,
                    answers=answers[number],
                    answer_values=answer_values,
                    nll=float(found.nll[number]),
                    steps=int(found.steps[number]),
                    strength=sum(reach) / len(reach),
                )
            )
        return made

    def _search(
        self, groups: Sequence[Sequence[Fact]], contexts: Sequence[Sequence[Context]], at_subject: Mapping[int, Tensor]
    ) -> tuple[Found, list[Columns]]:
        """The values of each group: the subject's alone, then both places' together, the second place's detectors being
        made with the first one's values in place. With the values, what each group puts into the second place."""
        config = self.config
        kept, answering = self._with_replies(contexts)
        batch = prepare(self.decoder, kept, config)
        subject = subject_place(batch, at_subject, self._preconditioners, config)
        first = find_values(self.decoder, batch, [subject], steps=config.steps, stop_nll=config.stop_nll)
        _check_finite(first, groups)
        if not config.answer_layers:
            return first, [Columns.none(0, 0)] * len(contexts)
        subject = replace(first.places[0], rate=torch.full_like(subject.rate, config.subject_rate))
        columns = answer_columns(self.decoder, answering, subject, config)
        at_answer = {
            layer: side_by_side([self._detectors([one], layer) for one in columns]).float()
            for layer in config.answer_layers
        }
        places = [subject, answer_place(batch, at_answer, config)]
        both = find_values(self.decoder, batch, places, steps=config.answer_steps, stop_nll=config.stop_nll)
        _check_finite(both, groups)
        answers = answer_columns(self.decoder, answering, both.places[0], config)
        return replace(both, steps=first.steps + both.steps), answers

    def _with_replies(self, groups: Sequence[Sequence[Context]]) -> tuple[list[list[Context]], list[list[Context]]]:
        """The same groups with what the base says to protected questions: the first of these replies as rows to keep; and
        for the answer's place the rows that hold their answer, with all replies."""
        config = self.config
        n_kept = config.keep_questions if config.keep_weight > 0 else 0
        n_asked = None if config.answer_layers else n_kept
        longest = max(config.keep_tokens, config.reply_tokens) if config.answer_layers else config.keep_tokens
        asked = [[row for row in group if row.role in (Role.PROTECT, Role.BESIDE)][:n_asked] for group in groups]
        prompts = [row.tokens for rows in asked for row in rows]
        heads = {row.tokens[: row.head] for rows in asked for row in rows}
        head = heads.pop() if len(heads) == 1 else ()
        ends = [tokens[len(head) :] for tokens in prompts]
        written = iter(
            continue_rows(self.decoder, ends, max_tokens=longest, stops=self.chat.stops, head=head) if ends else ()
        )
        replied = [[with_reply(row, next(written)) for row in rows] for rows in asked]
        kept = [
            [*group, *(_shortened(row, config.keep_tokens) for row in rows[:n_kept])]
            for group, rows in zip(groups, replied, strict=True)
        ]
        said = [
            [*(row for row in group if row.answer_at[1]), *(_shortened(row, config.reply_tokens) for row in rows)]
            for group, rows in zip(groups, replied, strict=True)
        ]
        return kept, said

    # -- artefacts to tensors

    def solve(self, artefacts: Iterable[Artefact]) -> Solution:
        """All artefacts jointly, from the base: a pure function of their set. Order does not matter.

        Each layer's change is values.T @ detectors, the detectors by the closed form over the keys of all artefacts
        together; at the subject, what one of them moves is protected by none. No text is run through the model: it is linear
        algebra in float64.
        Raises ArtefactMismatch if one was made on another base or for other layers, EditDiverged.
        """
        by_id = dict(sorted({artefact.id: artefact for artefact in artefacts}.items()))
        chosen = list(by_id.values())
        for artefact in chosen:
            self._check(artefact)
        moved = frozenset(row.tokens for artefact in chosen for row in artefact.rows(Role.EDIT))
        subjects = [columns_of(artefact.contexts, artefact.keys, moved=moved) for artefact in chosen]
        answers = [artefact.answers for artefact in chosen]
        deltas = {layer: self._nothing(layer) for layer in self._base}
        each = tuple(range(len(chosen)))
        of_answers = tuple(number for number, one in enumerate(answers) for _ in range(one.n_slots))
        for number, layer in enumerate(self.config.layers if chosen else ()):
            values = torch.stack([artefact.values[number].double() for artefact in chosen], dim=1)
            deltas[layer] = LowRankDelta(values, self._detectors(subjects, layer).cpu())
        for number, layer in enumerate(self.config.answer_layers if any(one.n_slots for one in answers) else ()):
            values = torch.cat([artefact.answer_values[number].double() for artefact in chosen]).T
            deltas[layer] = LowRankDelta(values, self._detectors(answers, layer).cpu())
        form = "" if self.closed_form is solve else getattr(self.closed_form, "__qualname__", repr(self.closed_form))
        return Solution(
            artefact_ids=tuple(by_id),
            fact_ids=tuple(a.fact_ids for a in chosen),
            deltas=deltas,
            owners=dict.fromkeys(self.config.layers, each) | dict.fromkeys(self.config.answer_layers, of_answers),
            names={layer: self.decoder.family.weight_name(layer) for layer in self._base},
            base=dict(self._base),
            transposed=self.decoder.family.transposed,
            config_sha256=self.config.sha256(form),
            base_sha256=self.base_sha256,
            statistics_sha256=self.statistics.sha256,
        )

    @contextmanager
    def applied(self, solution: Solution) -> Iterator[None]:
        """Inside, the model holds the tensors as they are served; after, the very same bits as before."""
        tensors = {layer: solution.tensor(layer) for layer in solution.deltas}
        with self.decoder.with_weights(tensors):
            yield

    # -- talking

    def generate(
        self,
        prompts: Sequence[str],
        max_tokens: int = 128,
        progress: Progress | None = None,
    ) -> list[Reply]:
        """Greedy replies through the chat template, run to their natural end or `max_tokens`.

        progress  told after each batch how many prompts are answered, of how many (each distinct one counts once)
        """
        return reply_to(self.decoder, self.chat, prompts, max_tokens=max_tokens, progress=progress)

    def blame(self, solution: Solution, replies: Sequence[tuple[str, Reply]]) -> Tensor:
        """Inside `applied(solution)`: how many nats each edit adds to what these questions' unedited replies cost, (replies,
        artefacts); see blame.py."""
        return blame(self.decoder, self.chat, solution, replies)

    # -- inside

    def _check(self, artefact: Artefact) -> None:
        if artefact.base_sha256 != self.base_sha256:
            raise ArtefactMismatch(
                f"the artefact of {', '.join(artefact.fact_ids)!r} belongs to model {artefact.base_sha256[:12]!r},"
                f" not to {self.base_sha256[:12]!r}: compute it again"
            )
        made_for, edited = (one.layers + one.answer_layers for one in (artefact, self.config))
        if made_for != edited or artefact.layers != self.config.layers:
            raise ArtefactMismatch(
                f"the artefact of {', '.join(artefact.fact_ids)!r} was made for layers {made_for!r},"
                f" the settings edit {edited!r}: compute it again"
            )

    def _detectors(self, columns: Sequence[Columns], layer: int) -> Tensor:
        """See memit/detectors.py; `columns` are of the place that the layer belongs to."""
        if not self.config.per_context:
            columns = [one.averaged() for one in columns]
        config = self.config
        layers, weight, lead_weight = (
            (config.answer_layers, config.answer_covariance_weight, config.answer_lead_weight)
            if layer in config.answer_layers
            else (config.layers, config.covariance_weight, config.lead_weight)
        )
        covariance = self._covariance(layer, lead_weight / weight)
        return detectors(columns, layers.index(layer), covariance, weight=weight, closed_form=self.closed_form)

    def _covariance(self, layer: int, share: float) -> Covariance:
        if (layer, share) not in self._covariances:
            matrix = self.statistics.covariance(layer, share)
            self._covariances[layer, share] = Covariance(matrix, self.decoder.device)
        return self._covariances[layer, share]

    def _nothing(self, layer: int) -> LowRankDelta:
        d_out, d_in = self.decoder.matrix(layer).shape
        return LowRankDelta(torch.zeros(d_out, 0, dtype=torch.float64), torch.zeros(0, d_in, dtype=torch.float64))


def _check_finite(found: Found, groups: Sequence[Sequence[Fact]]) -> None:
    diverged: list[str] = []
    for number, facts in enumerate(groups):
        ended = (found.nll[number], *(place.values[number] for place in found.places))
        if not all(bool(torch.isfinite(one).all()) for one in ended):
            diverged += [repr(fact.id) for fact in facts]
    if diverged:
        raise EditDiverged(f"the values of fact {', '.join(diverged)} are not finite; lower the learning rate")


def _shortened(row: Context, n_tokens: int) -> Context:
    """The row with no more than so many tokens of its target."""
    return replace(row, tokens=row.tokens[: row.target_at + n_tokens])
