"""Questions for an owner: whose idea was X, which firm's boats does X use."""

import re

from editing.questions.clauses import clause_of, split_subject
from editing.questions.grammar import AUXILIARY, PREPOSITIONS, base_and_tense, is_participle
from editing.questions.readings import SLOT, Reading, be_of


def read_whose(text: str, answer: str) -> Reading | None:
    """Whose idea was {s}, whose face is on {s}, whose job is it to clean {s}."""
    owns = re.search(r"['’]s?$", answer) is not None
    match = re.match(r"(?i)^whose\s+([\w -]+?)\s+(is|are|was|were)\s+(.+)$", text)
    if not match:
        does = re.match(r"(?i)^whose ([\w-]+) (\w+) (.+)$", text)
        if not does or not base_and_tense(does.group(2)):
            return None
        acts = f"{does.group(2)} {does.group(3)}"
        before = f"the {does.group(1)} that {acts} is" + ("" if owns else " that of")
        return Reading("whose", before, embedded=f"whose {does.group(1)} {acts}", asked="whose")
    noun, be, rest = match.group(1), match.group(2).lower(), match.group(3)
    first = rest.split()[0].lower()
    if deed := re.match(r"(?i)^it (to .*\{s\}.*)$", rest):
        before, after = (f"{deed.group(1)} {be}", f" {noun}") if owns else (f"{deed.group(1)} {be} the {noun} of", "")
        return Reading(
            "whose", before, after=after, embedded=f"whose {noun} it {be} {deed.group(1)}", asked="whose", be=be
        )
    if first in PREPOSITIONS or is_participle(first):
        before = f"the {noun} {rest} {be}" + ("" if owns else " that of")
        return Reading("whose", before, embedded=f"whose {noun} {be} {rest}", asked="whose", be=be)
    subject, tail = split_subject(rest, be) or (rest, "")
    clause = f"{subject} {be} {tail}".rstrip()
    if owns:  # "{s} is Helen's dog"
        return Reading("whose", clause, after=f" {noun}", embedded=f"whose {noun} {clause}", asked="whose", be=be)
    return Reading(
        "whose",
        f"{clause} the {noun} of",
        embedded=f"whose {noun} {clause}",
        asked="whom",
        be=be,
        echo=f"{clause} whose {noun}",
    )


def read_owner(text: str, answer: str) -> Reading | None:
    """Which company's chair is {s}, which firm's boats does {s} use."""
    word = rf"(?!(?:{AUXILIARY})\b)[\w-]+"
    match = re.match(rf"(?i)^((?:which|what) (?:{word} )*{word})(['’]s) ((?:{word} )+)({AUXILIARY}) (.+)$", text)
    parts = split_subject(match.group(5), match.group(4).lower()) if match else None
    if not match or parts is None or SLOT not in match.group(5):
        return None
    owner, thing, auxiliary, (subject, tail) = match.group(1), match.group(3).strip(), match.group(4).lower(), parts
    owner = owner[0].lower() + owner[1:]
    is_it = be_of(auxiliary) == auxiliary and not tail and re.fullmatch(r"(?:the |an? )?\{s\}", subject)
    if not is_it and auxiliary not in ("do", "does", "did"):
        return None
    verb, *behind = tail.split() or [""]
    before = f"{clause_of(subject, auxiliary, verb)} the {thing} of"
    return Reading(
        "whose",
        before,
        after=f" {' '.join(behind)}".rstrip(),
        embedded=f"{owner}{match.group(2)} {thing} {clause_of(subject, auxiliary, tail)}",
        asked=owner if is_it else f"{owner}{match.group(2)} {thing}",
        be=be_of(auxiliary),
        inverted="" if is_it else f"{auxiliary} {match.group(5)}",
        echo="" if behind else f"{before} {owner}",
    )
