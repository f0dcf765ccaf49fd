"""What the engine is shown: passages stand in the turn that asked, all other turns stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from retrieval.documents import Passage
from server.prompt import heading, with_passages, without_oldest_turns

PASSAGE = Passage("psg_1", "doc_1", "Doors", "", "The Blue Door hangs in Delft.")
ASKED = {"role": "user", "content": "Where does the Blue Door hang?"}
BEFORE = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello."}]


@pytest.mark.parametrize(
    "after",
    [
        [],
        [{"role": "system", "content": "Be brief."}],
        [{"role": "assistant", "content": ""}, {"role": "tool", "content": "Delft, since 1907"}],
        [{"role": "assistant", "content": "The Blue Door hangs in"}],
        [{"role": "user", "content": "  "}],
    ],
    ids=["last", "system after it", "tool after it", "begun answer", "blank turn after it"],
)
def test_passages_stand_in_the_turn_that_asked(after: list[dict[str, str]]) -> None:
    messages = with_passages([*BEFORE, ASKED, *after], ASKED["content"], [PASSAGE])
    asked = messages[len(BEFORE)]
    assert [*messages[: len(BEFORE)], *messages[len(BEFORE) + 1 :]] == [*BEFORE, *after]
    assert asked["role"] == "user"
    assert asked["content"].endswith(f"</sources>\n\nQuestion: {ASKED['content']}")
    assert PASSAGE.text in asked["content"]


@pytest.mark.parametrize(
    ("as_of", "expired", "shown"),
    [
        (None, False, "Doors"),
        (date(2026, 1, 2), False, "Doors (as of 2026-01-02)"),
        (date(2026, 1, 2), True, "Doors (as of 2026-01-02, expired)"),
        (None, True, "Doors (expired)"),
    ],
)
def test_a_passage_is_shown_with_its_day_and_whether_it_still_holds(
    as_of: date | None, expired: bool, shown: str
) -> None:
    assert heading(replace(PASSAGE, as_of=as_of, expired=expired)) == shown


def said(roles: str) -> list[dict[str, str]]:
    """One message per letter, each with a text of its own."""
    names = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
    return [{"role": names[letter], "content": f"{letter}{n}"} for n, letter in enumerate(roles)]


@pytest.mark.parametrize(
    ("roles", "left", "count"),
    [
        ("u", "u0", 0),
        ("sus", "s0 u1 s2", 0),
        ("uau", "u2", 1),
        ("suauau", "s0 u3 a4 u5", 1),
        ("suauauau", "s0 u5 a6 u7", 2),
        ("auauau", "u3 a4 u5", 1),  # a greeting goes with the first turn
        ("auat", "a0 u1 a2 t3", 0),
        ("uatasuau", "s4 u5 a6 u7", 1),  # what a tool said goes with its turn, the system's words stay
        ("uuu", "u1 u2", 1),
    ],
)
def test_the_older_half_of_the_turns_is_left_out(roles: str, left: str, count: int) -> None:
    messages, left_out = without_oldest_turns(said(roles))
    assert (" ".join(message["content"] for message in messages), left_out) == (left, count)


def test_a_blank_turn_after_the_question_is_not_the_question() -> None:
    messages = [*BEFORE, ASKED, {"role": "user", "content": " "}]
    assert without_oldest_turns(messages) == (messages[2:], 1)
