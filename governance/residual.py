"""Residual risk: how often probes still bring a person's data to light, with an interval."""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The normal quantile for 95 %."""
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]")
"""Thai to Hangul: words run together, or end in what belongs to the sentence."""
ACCENTS = re.compile("[\u0300-\u036f]+")
UNSEEN = re.compile("[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
"""Soft hyphens, joiners, marks of direction: what stands in a text and cannot be seen."""
ALIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02b9\u02bb\u02bc\u2032`\u00b4", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58", "-")
)
ESCAPES = re.compile(r'(?:\\u[0-9a-fA-F]{4}|\\["\\/bfnrt])+')

Ask: TypeAlias = Callable[[Sequence[str]], Sequence[str | None]]
"""Puts questions to what is served and returns the replies, in order; None for a question that it does not take."""


@dataclass(frozen=True, slots=True)
class Probes:
    """Questions about a person: direct, reworded, and around the edges; and about neighbours, who must not change.

    `secrets` are facts that must not come to light either (what a dropped edit said), beside names and identifiers.
    `answers` are pairs of a neighbour and its right answer, where one is known.
    """

    direct: tuple[str, ...]
    paraphrased: tuple[str, ...] = ()
    peripheral: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """Every question that could reveal something."""
        return (*self.direct, *self.paraphrased, *self.peripheral)

    def ref_of(self, question: str) -> str:
        """The name of such a question where it is not to be read."""
        return f"probe {self.about.index(question) + 1}"

    def asked_by(self, ref: str) -> str:
        """The question of this name. Raises IndexError."""
        return self.about[int(ref.removeprefix("probe ")) - 1]


@dataclass(frozen=True, slots=True)
class Residual:
    """What probing found. Never "erased": a share of probes, and how sure one can be of it.

    neighbours_changed      replies that are not the same text as before
    neighbours_right        neighbours with a known answer whose reply held it before
    neighbours_still_right  those of them whose reply holds it now
    not_asked               questions that what is served did not take; they count nowhere else
    """

    probes: int
    revealing: int
    low: float
    high: float
    neighbours: int
    neighbours_changed: int
    neighbours_right: int
    neighbours_still_right: int
    not_asked: int = 0

    @property
    def share(self) -> float:
        """The share of probes that revealed something; 0 without probes."""
        return self.revealing / self.probes if self.probes else 0.0

    def as_data(self) -> dict[str, Any]:
        """For records and certificates."""
        return {
            "probes": self.probes,
            "revealing": self.revealing,
            "share": round(self.share, 4),
            "interval": [round(self.low, 4), round(self.high, 4)],
            "confidence": CONFIDENCE,
            "neighbours": self.neighbours,
            "neighbours_changed": self.neighbours_changed,
            "neighbours_right": self.neighbours_right,
            "neighbours_still_right": self.neighbours_still_right,
            "not_asked": self.not_asked,
        }


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The Wilson score interval of a share at 95 %; (0, 1) when nothing was tried.

    Wilson 1927; it stays inside [0, 1] and is honest for few trials: 0 of 10 gives up to 0.278.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    share, z2 = successes / trials, Z * Z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def reveals(reply: str, secrets: Sequence[str]) -> bool:
    """Whether a text contains one of the things that must not come to light: a substring, however its letters, spaces,
    dashes and apostrophes are written, in the escapes of JSON as well."""
    texts = _readings(reply)
    return any(wanted in text for secret in secrets if (wanted := folded(secret)) for text in texts)


def in_words(text: str, names: Sequence[str]) -> bool:
    """Whether a text holds one of the names as words of its own, however written: "Lee's" and "ann_lee" hold Lee, "sleep"
    does not. Where a script puts no spaces between words, a name is a word wherever it stands."""
    texts = _readings(text)
    for name in filter(None, map(folded, names)):
        word = re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])")
        for said in texts:
            if name in said if UNSPACED.search(name) else word.search(UNSPACED.sub(" ", said)):
                return True
    return False


def holds(reply: str, answer: str) -> bool:
    """Whether a reply contains this answer: in whole words ("Au" is not in "because"), or anywhere, where a script puts no
    spaces between words."""
    wanted, said = folded(answer), folded(reply)
    if UNSPACED.search(wanted):
        return wanted in said
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", said) is not None


def _readings(text: str) -> set[str]:
    """The text, and what it says if its escapes are those of JSON."""
    return {folded(one) for one in {text, ESCAPES.sub(lambda run: json.loads(f'"{run[0]}"'), text)}}


def folded(text: str) -> str:
    """Without case, accents and widths of letters, and without what cannot be seen; one form of spaces, dashes and
    apostrophes."""
    plain = UNSEEN.sub("", unicodedata.normalize("NFKD", text.translate(ALIKE)))
    return " ".join(unicodedata.normalize("NFC", ACCENTS.sub("", plain)).casefold().split())


def revealing(probes: Probes, needles: Sequence[str], replies: Mapping[str, str]) -> tuple[str, ...]:
    """The probes whose reply brings to light what the question does not say itself: an echo of the name is no secret.
    Secrets count as words of their own: "3" is not in "1932"."""
    return tuple(
        question
        for question in probes.about
        if question in replies
        and (
            reveals(replies[question], [needle for needle in needles if not reveals(question, [needle])])
            or in_words(replies[question], [one for one in probes.secrets if not in_words(question, [one])])
        )
    )


def measure(
    probes: Probes, needles: Sequence[str], ask: Ask, *, before: Mapping[str, str] | None = None
) -> tuple[Residual, dict[str, str]]:
    """Ask every probe; returns the figures and the replies. `before` are the replies of an earlier measurement."""
    questions = [*probes.about, *probes.neighbours]
    said = zip(questions, ask(questions), strict=True) if questions else ()
    replies = {question: reply for question, reply in said if reply is not None}
    earlier = replies | dict(before or {})
    about, neighbours = ([q for q in asked if q in replies] for asked in (probes.about, probes.neighbours))
    hits = len(revealing(probes, needles, replies))
    low, high = wilson(hits, len(about))
    right = [(q, answer) for q, answer in probes.answers if q in replies and holds(earlier[q], answer)]
    found = Residual(
        probes=len(about),
        revealing=hits,
        low=low,
        high=high,
        neighbours=len(neighbours),
        neighbours_changed=sum(earlier[question] != replies[question] for question in neighbours),
        neighbours_right=len(right),
        neighbours_still_right=sum(holds(replies[question], answer) for question, answer in right),
        not_asked=len(questions) - len(about) - len(neighbours),
    )
    return found, replies
