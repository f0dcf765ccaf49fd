"""The bench: edit facts in batches, ask as in chat, report what held, what moved and what it cost."""

import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from editing.edit_set import Artefact
from editing.editor import Editor
from editing.errors import EditDiverged, EditingError
from editing.facts import Fact, FactCase, Probe, check_fact, group_by_subject, subject_key
from editing.memit.contexts import contexts_for
from editing.methods import Edited, Method, method
from editing.progress import Progress
from editing.replies import Reply
from editing.scoring import answer_log_probs, perplexity
from editing.statements import Statements, write_statements
from editing.wording import contains

Tell = Callable[[str], None]
Writer = Callable[[str, str, str], Statements]
Refused = Mapping[int, EditingError]
"""Why facts could not be edited, by their place in the batch: ids need not differ."""


def run_bench(
    editor: Editor,
    cases: Sequence[FactCase],
    *,
    method_name: str = "memit",
    batch: int | None = None,
    texts: Sequence[str] = (),
    max_tokens: int = 128,
    write: Writer = write_statements,
    model: str = "",
    generator: str = "rules",
    teacher_forced: bool = True,
    before: dict[str, Reply] | None = None,
    progress: Tell | None = None,
) -> dict[str, object]:
    """Edit `cases` in batches of `batch` (all at once, if None), each batch from the base alone, and report.

    texts           ordinary text for perplexity
    write           makes an edit's wordings from question, subject and answer; the cases' own questions only judge
    before          replies of the unedited model, filled in as needed: pass one dict to several runs on one model
    teacher_forced  compute `efficacy`, `paraphrase_tf` and `neighbourhood` too

    A fact that cannot be edited, or whose edit diverges, is reported with its reason and counts as not edited.
    """
    tell = progress or (lambda _message: None)
    edit = method(method_name)
    known = before if before is not None else {}
    size = batch or max(1, len(cases))
    read = _in_tenths(_counted(tell, "rows of text read"))
    quiet = perplexity(editor.decoder, editor.chat, texts, progress=read) if texts else None
    _ask_before(editor, cases, known, max_tokens, tell)
    rows: list[dict[str, object]] = []
    times = {"target_states": 0.0, "solve": 0.0}
    perplexities: list[float] = []
    for start in range(0, len(cases), size):
        chunk = cases[start : start + size]
        tell(f"editing {start + 1}-{start + len(chunk)} of {len(cases)}")
        edited, made, refused = _edit(editor, edit, chunk, write, _counted(tell, "edits"))
        times["target_states"] += edited.seconds_target_states
        times["solve"] += edited.seconds_solve
        with editor.applied(edited.solution):
            rows += _judge(editor, chunk, known, refused, made, max_tokens, tell)
            if teacher_forced:
                scored = _teacher_forced(editor, chunk, _in_tenths(_counted(tell, "answers scored")))
                for row, scores in zip(rows[-len(chunk) :], scored, strict=True):
                    row.update(scores)
            if texts:
                perplexities.append(perplexity(editor.decoder, editor.chat, texts, progress=read))
    seconds = times["target_states"] + times["solve"]
    return {
        "n": len(cases),
        "method": method_name,
        "model": model,
        "batch": size,
        "generator": generator,
        **_shares(rows),
        "perplexity_before": quiet,
        "perplexity_after": sum(perplexities) / len(perplexities) if perplexities else None,
        "seconds": seconds,
        "seconds_per_edit": seconds / max(1, sum("refused" not in row for row in rows)),
        "seconds_target_states": times["target_states"],
        "seconds_solve": times["solve"],
        "peak_rss_mb": _peak_rss_mb(),
        "peak_gpu_mb": _peak_gpu_mb(editor),
        "refused": sum("refused" in row for row in rows),
        "facts": rows,
    }


def _ask_before(
    editor: Editor, cases: Sequence[FactCase], known: dict[str, Reply], max_tokens: int, tell: Tell
) -> None:
    wanted = [p.question for c in cases for p in (*c.neighbours, *c.unrelated)]
    wanted += [question for c in cases for question in c.same_subject]
    missing = [question for question in dict.fromkeys(wanted) if question not in known]
    if missing:
        replies = editor.generate(missing, max_tokens, progress=_counted(tell, "replies of the unedited model"))
        known.update(zip(missing, replies, strict=True))


def _edit(
    editor: Editor, edit: Method, cases: Sequence[FactCase], write: Writer, done: Progress
) -> tuple[Edited, dict[Fact, Artefact], Refused]:
    """Edit what can be edited, with the artefacts of it; the others with the error that names them."""
    refused: dict[int, EditingError] = {}
    fit: list[Fact] = []
    of_subject: dict[str, list[Fact]] = {}
    said: dict[Fact, Statements] = {}
    for place, case in enumerate(cases):
        try:
            check_fact(case.fact)
            same = of_subject.setdefault(subject_key(case.fact.subject), [])
            group_by_subject([*same, case.fact])
            said[case.fact] = write(case.fact.question, case.fact.subject, case.fact.target_new)
            contexts_for([case.fact], [said[case.fact]], editor.chat, editor.config)
            fit.append(case.fact)
            same.append(case.fact)
        except EditingError as error:
            refused[place] = error

    def together(subjects: Sequence[str]) -> Edited:
        some = [groups[subject] for subject in subjects]
        return edit(editor, some, [[said[fact] for fact in group] for group in some], done)

    groups = group_by_subject(fit)
    subjects, edited, diverged = _as_far_as_finite(list(groups), together)
    for place, case in enumerate(cases):
        if why := diverged.get(subject_key(case.fact.subject)):
            refused.setdefault(place, why)
    made = zip(subjects, edited.artefacts, strict=False)  # methods other than MEMIT's kin have none
    return edited, {fact: artefact for subject, artefact in made for fact in groups[subject]}, refused


def _as_far_as_finite(
    subjects: list[str], together: Callable[[Sequence[str]], Edited]
) -> tuple[list[str], Edited, dict[str, EditDiverged]]:
    """Which subjects were edited, to what, and why the others were not: each that diverges by itself, or all that do
    so only together."""
    diverged: dict[str, EditDiverged] = {}
    try:
        return subjects, together(subjects), diverged
    except EditDiverged:
        pass
    for subject in subjects:
        try:
            together([subject])
        except EditDiverged as error:
            diverged[subject] = error
    finite = [subject for subject in subjects if subject not in diverged]
    try:
        return finite, together(finite), diverged
    except EditDiverged as error:
        return [], together([]), dict.fromkeys(finite, error) | diverged


def _judge(
    editor: Editor,
    cases: Sequence[FactCase],
    before: Mapping[str, Reply],
    refused: Refused,
    made: Mapping[Fact, Artefact],
    max_tokens: int,
    tell: Tell,
) -> list[dict[str, object]]:
    """One row per fact, from replies of the edited model."""
    after = _replies(editor, cases, max_tokens, _counted(tell, "replies of the edited model"))
    rows = []
    for place, case in enumerate(cases):
        new = case.fact.target_new
        own = [after[q] for q in (case.fact.question, *case.paraphrases)]
        row: dict[str, object] = {
            "id": case.fact.id,
            "reply": own[0].text,
            "direct": contains(own[0].text, new),
            "paraphrase": [contains(reply.text, new) for reply in own[1:]],
            "neighbours_kept": _kept(case.neighbours, before, after),
            "unrelated_kept": _kept(case.unrelated, before, after),
            "subject_kept": [not contains(after[q].text, new) for q in case.same_subject],
            "portability": [contains(after[p.question].text, p.answer) for p in case.portability],
            "stops": [reply.stopped for reply in own],
        }
        if place in refused:
            row["refused"] = str(refused[place])
        if artefact := made.get(case.fact):
            row.update(nll=artefact.nll, steps=artefact.steps, strength=artefact.strength)
        rows.append(row)
    return rows


def _replies(editor: Editor, cases: Sequence[FactCase], max_tokens: int, done: Progress) -> dict[str, Reply]:
    asked: list[str] = []
    for case in cases:
        asked += [case.fact.question, *case.paraphrases, *case.same_subject]
        asked += [probe.question for probe in (*case.neighbours, *case.unrelated, *case.portability)]
    asked = list(dict.fromkeys(asked))
    return dict(zip(asked, editor.generate(asked, max_tokens, progress=done), strict=True))


def _counted(tell: Tell, what: str) -> Progress:
    return lambda done, of: tell(f"{what}: {done} of {of}")


def _in_tenths(progress: Progress) -> Progress:
    """The same, told where a tenth begins."""
    shown = -1

    def some(done: int, of: int) -> None:
        nonlocal shown
        if (tenth := 10 * done // of) != shown:
            shown = tenth
            progress(done, of)

    return some


def _kept(probes: Sequence[Probe], before: Mapping[str, Reply], after: Mapping[str, Reply]) -> list[bool]:
    """Of the answers that the unedited model gave, which the edited one gives."""
    return [contains(after[p.question].text, p.answer) for p in probes if contains(before[p.question].text, p.answer)]


def _teacher_forced(editor: Editor, cases: Sequence[FactCase], done: Progress) -> list[dict[str, object]]:
    """Is the new answer likelier than the old one, and at neighbours the true one likelier than the new?

    Clozes are used where the fact came with them, as CounterFact does, else the questions as chat turns.
    """
    asked: list[tuple[str, str, bool]] = []
    spans: list[tuple[int, int, int]] = []
    for case in cases:
        fact = case.fact
        prompt, rephrased, neighbours = (
            (case.cloze, case.cloze_paraphrases, case.cloze_neighbours)
            if case.cloze
            else (fact.question, case.paraphrases, case.neighbours)
        )
        pairs = [(prompt, fact.target_new, fact.target_old)] if fact.target_old else []
        other = [(text, fact.target_new, fact.target_old) for text in rephrased] if fact.target_old else []
        near = [(p.question, p.answer, fact.target_new) for p in neighbours if p.answer]
        for text, better, worse in (*pairs, *other, *near):
            asked += [(text, better, not case.cloze), (text, worse, not case.cloze)]
        spans.append((len(pairs), len(other), len(near)))
    scores = answer_log_probs(editor.decoder, editor.chat, asked, progress=done)
    wins = iter([better > worse for better, worse in zip(scores[::2], scores[1::2], strict=True)])
    return [
        {
            "efficacy": [next(wins) for _ in range(n_pairs)],
            "paraphrase_tf": [next(wins) for _ in range(n_other)],
            "neighbourhood": [next(wins) for _ in range(n_near)],
        }
        for n_pairs, n_other, n_near in spans
    ]


_SHARED = (
    "direct",
    "paraphrase",
    "neighbours_kept",
    "unrelated_kept",
    "subject_kept",
    "portability",
    "stops",
    "efficacy",
    "paraphrase_tf",
    "neighbourhood",
)


def _shares(rows: Sequence[Mapping[str, object]]) -> dict[str, float | None]:
    """Over all facts' outcomes together; None where nothing was asked."""
    return {name: _mean(outcome for row in rows for outcome in _outcomes(row.get(name))) for name in _SHARED}


def _outcomes(value: object) -> list[bool]:
    return value if isinstance(value, list) else [] if value is None else [bool(value)]


def _mean(values: Iterator[bool]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _peak_rss_mb() -> float:
    # ru_maxrss is in kilobytes on Linux and in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def _peak_gpu_mb(editor: Editor) -> float | None:
    if editor.decoder.device.type != "cuda":
        return None
    import torch

    return torch.cuda.max_memory_allocated() / (1 << 20)
