"""What the engine is shown: passages stand in the turn that asked, all other turns stay."""

from __future__ import annotations

import pytest

from retrieval.documents import Passage
from server.prompt import with_passages

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
