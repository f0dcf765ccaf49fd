"""Questions for a number: how many, how much, how old."""

import re

from editing.questions.clauses import clause_of, split_subject
from editing.questions.grammar import PREPOSITIONS
from editing.questions.readings import Reading, be_of, noun_reading


def read_amount(text: str, answer: str) -> Reading | None:
    there = re.match(r"(?i)^how many\s+(.*\{s\}.*?)\s+(is|are|was|were)\s+(?:there\s*(.*)|(.+))$", text)
    if there and not re.search(r"(?i)\b(is|are|was|were|do|does|did)\b", there.group(1)):
        counted, be, place, state = there.group(1), there.group(2).lower(), there.group(3), there.group(4)
        if state is None:
            after = f" {counted} {place}".rstrip()
            return Reading(
                "how many",
                f"there {be}",
                after,
                f"how many{after} there {be}",
                "how many",
                f"the number of{after}",
                "is",
            )
        return noun_reading("how many", f"the number of {counted} that {be} {state}", "is", "what")
    many = re.match(r"(?i)^how (many|much)\s+(.+?)\s+(is|are|was|were|did|does|do|has|have|had|can|will)\s+(.+)$", text)
    if many and "{s}" in many.group(4):
        counted, auxiliary, rest = many.group(2), many.group(3).lower(), many.group(4)
        if there := re.match(r"(?i)^there\s+(.*)$", rest):
            place = there.group(1)
            holder = re.match(r"(?i)^(?:in|on|at)\s+((?:(?:the|an?)\s)?\{s\})$", place)
            return Reading(
                "how many",
                f"there {auxiliary}",
                f" {counted} {place}".rstrip(),
                f"how {many.group(1)} {counted} there {auxiliary} {place}",
                f"how {many.group(1)}",
                f"the number of {counted} {place}" if holder and many.group(1) == "many" else "",
                "is" if holder else be_of(auxiliary),
                echo=f"{holder.group(1)} has how {many.group(1)} {counted}" if holder else "",
            )
        if auxiliary in ("is", "are", "was", "were") and rest.split()[0].lower() in PREPOSITIONS:
            return Reading(
                "how many",
                f"there {auxiliary}",
                f" {counted} {rest}",
                f"how {many.group(1)} {counted} {auxiliary} {rest}",
                f"how {many.group(1)}",
                f"the number of {counted} {rest}",
                be_of(auxiliary),
            )
        parts = split_subject(rest, auxiliary)
        if parts is not None:
            subject, tail = parts
            clause = clause_of(subject, auxiliary, "" if auxiliary in ("do", "does", "did") else tail)
            if auxiliary in ("do", "does", "did"):
                words = tail.split()
                if not words:
                    return None
                clause = clause_of(subject, auxiliary, words[0])
                return Reading(
                    "how many",
                    clause,
                    f" {counted} {' '.join(words[1:])}".rstrip(),
                    f"how {many.group(1)} {counted} {clause_of(subject, auxiliary, tail)}",
                    f"how {many.group(1)}",
                    f"the number of {counted} that {clause_of(subject, auxiliary, tail)}",
                    "is",
                    echo=f"{clause} how {many.group(1)} {counted} {' '.join(words[1:])}".rstrip(),
                )
            return noun_reading(
                "how many",
                f"the number of {counted} that {clause_of(subject, auxiliary, tail)}",
                "is",
                f"how {many.group(1)}",
            )
    if many is None and (who := re.match(r"(?i)^how many\s+(\w+(?:\s\w+)?)\s+(\w+\s+.*\{s\}.*)$", text)):
        return Reading(
            "how many",
            f"the number of {who.group(1)} that {who.group(2)} is",
            "",
            f"how many {who.group(1)} {who.group(2)}",
            "how many",
            f"the number of {who.group(1)} that {who.group(2)}",
            "is",
        )
    if much := re.match(r"(?i)^how much\s+(is|are|was|were|did|does|do)\s+(.+?)(?:\s+(cost|worth|weigh))?$", text):
        auxiliary, subject, verb = much.group(1).lower(), much.group(2), (much.group(3) or "").lower()
        clause = clause_of(subject, auxiliary, verb) if verb else f"the price of {subject} {auxiliary}"
        return Reading("how much", clause, "", f"how much {clause}", "how much", "", be_of(auxiliary))
    if degree := re.match(
        (
            r"(?i)^how (old|tall|long|high|deep|far|big|large|heavy|wide|fast|hot|cold|often|late|early)\s+(is"
            r"|are|was|were|did|does|do|can|will)\s+(.+)$"
        ),
        text,
    ):
        adjective, auxiliary, rest = degree.group(1).lower(), degree.group(2).lower(), degree.group(3)
        parts = split_subject(rest, auxiliary)
        if parts is None:
            return None
        clause = clause_of(parts[0], auxiliary, parts[1])
        after = ""
        if (
            not parts[1]
            and adjective in ("old", "tall", "long", "high", "deep", "wide")
            and re.search(r"\d", answer)
            and adjective not in answer.lower()
        ):
            after = (" years" if adjective == "old" and re.fullmatch(r"\d+", answer.strip()) else "") + f" {adjective}"
        return Reading(
            "how " + adjective,
            clause,
            after,
            f"how {adjective} {clause}",
            f"how {adjective}",
            "",
            be_of(auxiliary),
            echo=f"{clause} how {adjective}",
        )
    return None
