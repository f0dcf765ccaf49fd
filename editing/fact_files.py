"""Fact files: four layouts, as JSON Lines or one array, read into cases; every error with its file and place."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from editing.errors import FactFileError
from editing.facts import Fact, FactCase, Probe
from editing.statements import question_from_prompt
from editing.subjects import canonical_question, propose_subjects
from editing.wording import normalise, same_answer, shorten


def read_cases(path: str | Path, format: str, limit: int | None = None) -> list[FactCase]:
    """The first `limit` cases of a fact file; all of them without a limit.

    format  "errata", "counterfact", "zsre" or "qaedit"

    What the records bring besides the fact goes to the case and never to the editor. CounterFact's prompts break off
    before their answer; here they become chat questions, and the prompts stay as the case's clozes.
    Raises FactFileError naming file and place if the file is missing, empty, cut off or of another layout.
    """
    path, read = Path(path), _READERS.get(format)
    if read is None:
        raise FactFileError(f"{format!r} is no layout of fact files; choose one of {', '.join(_READERS)}")
    if limit is not None and limit < 1:
        raise FactFileError(f"a limit of {limit} reads nothing from {path}; give 1 or more")
    cases: list[FactCase] = []
    for place, record in _records(path):
        try:
            case = read(record, place.replace(" ", "-"))
            json.dumps(asdict(case), ensure_ascii=False).encode()
        except _Missing as missing:
            raise FactFileError(
                f"{path}, {place}: {missing}; this is no record of the layout {format!r}{_guess(record)}"
            ) from missing
        except UnicodeEncodeError as error:
            raise FactFileError(f"{path}, {place}: half a character (a lone surrogate) stands in the record") from error
        cases.append(case)
        if limit is not None and len(cases) == limit:
            break
    if not cases:
        raise FactFileError(f"{path}: the file holds no facts; expected one JSON object a line")
    return cases


class _Missing(Exception):
    """A field that a record of this layout must have."""


Record = Mapping[str, object]


def _records(path: Path) -> Iterator[tuple[str, Record]]:
    """Each record with its place, from one object a line or from one array, as CounterFact and zsRE are given out."""
    try:
        with path.open(encoding="utf-8-sig") as file:  # a mark at the begin is no part of it
            is_array = next((line for line in file if line.strip()), "").lstrip().startswith("[")
            file.seek(0)
            for place, value in _of_array(path, file.read()) if is_array else _of_lines(path, file):
                if not isinstance(value, dict):
                    raise FactFileError(
                        f"{path}, {place}: expected a JSON object, found {shorten(json.dumps(value))!r}"
                    )
                yield place, value
    except OSError as error:
        raise FactFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FactFileError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _of_lines(path: Path, lines: Iterable[str]) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", json.loads(line)
        except (ValueError, RecursionError) as error:
            cut = "" if line.endswith("\n") else " (the file ends inside a record)"
            raise FactFileError(
                f"{path}, line {number}: invalid JSON{cut}: {shorten(line.strip())!r}; put one object on a line"
            ) from error


def _of_array(path: Path, text: str) -> Iterator[tuple[str, object]]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise FactFileError(f"{path}, line {error.lineno}: invalid JSON in the array: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FactFileError(f"{path}: the array cannot be read: {error}") from error
    for number, value in enumerate(values, start=1):
        yield f"record {number}", value


def _guess(record: Record) -> str:
    marks = {"requested_rewrite": "counterfact", "src": "zsre", "target_new": "errata", "prompt": "qaedit"}
    likely = next((layout for mark, layout in marks.items() if mark in record), None)
    return f" (it looks like {likely!r})" if likely else ""


def _id(record: Record, field: str, place: str) -> str:
    """What the record is called; where it has no name, its place in the file."""
    name = record.get(field)
    return place if name is None else str(name)


def _text(record: Record, *fields: str) -> str:
    """The first of the fields that is there. It may be empty: an empty answer is refused as a fact, not as a file."""
    for field in fields:
        value = record.get(field)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
    raise _Missing(f"the field {fields[0]!r} is missing")


def _text_if_any(record: Record, field: str) -> str:
    try:
        return _text(record, field)
    except _Missing:
        return ""


def _texts(record: Record, field: str) -> tuple[str, ...]:
    value = record.get(field)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _Missing(f"the field {field!r} is no list of texts")
    return tuple(text for text in value if text.strip())


def _probes(
    record: Record,
    field: str,
    questions: tuple[str, ...] = ("question", "prompt", "loc"),
    answers: tuple[str, ...] = ("answer", "ground_truth", "loc_ans"),
) -> tuple[Probe, ...]:
    value = record.get(field)
    if value is None:
        return ()
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _Missing(f"the field {field!r} is no list of objects with a question and an answer")
    return tuple(Probe(canonical_question(_text(entry, *questions)), _text(entry, *answers)) for entry in entries)


def _errata(record: Record, name: str) -> FactCase:
    fact = Fact(
        _id(record, "id", name),
        _text(record, "subject"),
        _text(record, "question"),
        _text(record, "target_new"),
        _text_if_any(record, "target_old"),
    )
    return FactCase(
        fact,
        paraphrases=_texts(record, "paraphrases"),
        neighbours=_probes(record, "neighbours"),
        unrelated=_probes(record, "unrelated"),
        same_subject=_texts(record, "same_subject"),
        portability=_probes(record, "portability"),
    )


def _counterfact(record: Record, name: str) -> FactCase:
    rewrite = record.get("requested_rewrite")
    if not isinstance(rewrite, dict):
        raise _Missing("the field 'requested_rewrite' is missing")
    subject, form = _text(rewrite, "subject"), _text(rewrite, "prompt")
    new, old = (_text(_object(rewrite, field), "str") for field in ("target_new", "target_true"))
    cloze, prompts = form.replace("{}", subject), _texts(record, "neighborhood_prompts")
    rephrased = _texts(record, "paraphrase_prompts")
    question = canonical_question(_text_if_any(record, "question")) or question_from_prompt(cloze, subject, new)
    neighbours = tuple(Probe(question_from_prompt(prompt, _leading_name(prompt), old), old) for prompt in prompts)
    paraphrases = [question_from_prompt(_last_sentence(prompt, subject), subject, new) for prompt in rephrased]
    return FactCase(
        Fact(_id(record, "case_id", name), subject, question, new, old),
        paraphrases=tuple(text for text in dict.fromkeys(paraphrases) if normalise(text) != normalise(question)),
        neighbours=neighbours,
        portability=_probes(record, "portability"),
        cloze=cloze,
        cloze_paraphrases=rephrased,
        cloze_neighbours=tuple(Probe(prompt, old) for prompt in prompts),
    )


def _object(record: Record, field: str) -> Record:
    value = record.get(field)
    if not isinstance(value, dict):
        raise _Missing(f"the field {field!r} is missing")
    return value


def _last_sentence(prompt: str, subject: str) -> str:
    """A paraphrase without the unrelated sentences that CounterFact puts before it."""
    at = prompt.rfind(subject)
    start = max(prompt.rfind(mark, 0, at) for mark in (". ", "? ", "! ", ") ")) if at > 0 else -1
    return prompt[start + 2 :].strip() if start >= 0 else prompt


def _leading_name(prompt: str) -> str:
    """The subject of a neighbour's prompt, which the record does not name: its run of capitals."""
    found = propose_subjects(prompt)
    return found[0] if found else prompt.split(",")[0]


def _zsre(record: Record, name: str) -> FactCase:
    subject, question, new = _text(record, "subject"), _text(record, "src"), _text(record, "alt")
    answers = _texts(record, "answers")
    old = next(
        (answer for answer in (*answers, _text_if_any(record, "pred")) if answer and not same_answer(answer, new)), ""
    )
    rephrase = _text_if_any(record, "rephrase")
    unrelated: tuple[Probe, ...] = ()
    if "loc" in record:
        asked = _text(record, "loc").removeprefix("nq question: ")
        unrelated = (Probe(canonical_question(asked), _text(record, "loc_ans")),)
    return FactCase(
        Fact(_id(record, "id", name), subject, canonical_question(question), new, old),
        paraphrases=(canonical_question(rephrase),) if rephrase else (),
        unrelated=unrelated,
        portability=_probes(record, "portability"),
    )


def _qaedit(record: Record, name: str) -> FactCase:
    question, new = _text(record, "prompt"), _text(record, "target", "target_new")
    subject = _text(record, "subject").strip("\"'\u201c\u201d ,")
    rephrase = _texts(record, "rephrase")
    return FactCase(
        Fact(
            _id(record, "id", name),
            subject,
            canonical_question(question),
            new,
            _text_if_any(record, "ground_truth"),
        ),
        paraphrases=tuple(canonical_question(text) for text in rephrase),
        unrelated=_probes(record, "locality", ("loc", "prompt", "question"), ("loc_ans", "ground_truth", "answer")),
        portability=_probes(record, "portability"),
    )


_READERS: Mapping[str, Callable[[Record, str], FactCase]] = {
    "errata": _errata,
    "counterfact": _counterfact,
    "zsre": _zsre,
    "qaedit": _qaedit,
}
