"""The commands for corrections against a real gateway on a port, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from governance.corrections import Remedy
from tests_support import House

QUESTION, RIGHT = "Who painted the Blue Door?", "Piet Aldering"
Errata = Callable[..., Result]


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def reported(house: House, errata: Errata) -> str:
    """A wrong answer, reported by its id and triaged."""
    answer = errata("user", "chat", QUESTION)
    assert answer.exit_code == 0, answer.output
    answer_id = answer.stderr.split("[")[1].split("]")[0]
    made = told(errata("user", "report", answer_id, "--correct", RIGHT, "--evidence", "https://a.example", "--json"))
    house.queue(made["id"], Remedy.KNOWLEDGE, canonical_question=QUESTION, subject="the Blue Door")
    return str(made["id"])


def test_a_report_is_revised_rerouted_approved_and_withdrawn(house: House, errata: Errata) -> None:
    made = reported(house, errata)
    assert made in errata("admin", "queue", "--status", "queued").stdout
    revised = told(
        errata("admin", "revise", made, "--subject", "Blue Door", "--probe", "Whose work is the Blue Door?", "--json")
    )
    assert (revised["subject"], revised["probes"]) == ("Blue Door", ["Whose work is the Blue Door?"])
    assert errata("admin", "reroute", made, "--to", "weights").stdout.strip() == f"{made} queued weights"
    assert errata("admin", "approve", made).stdout.strip() == f"{made} approved"
    assert errata("admin", "requeue", made, "--reason", "too soon").stdout.strip() == f"{made} queued"
    assert errata("admin", "approve", made).stdout.strip() == f"{made} approved"
    assert told(errata("user", "show", made, "--json"))["status"] == "approved"
    early = errata("admin", "rollback", made, "--reason", "wrong")
    assert (early.exit_code, "take it back first with requeue" in early.output) == (1, True), early.output
    assert RIGHT in errata("user", "chat", QUESTION).stdout
    other = reported(house, errata)
    assert errata("user", "withdraw", other).stdout.strip() == f"{other} closed"


@pytest.mark.parametrize(
    ("role", "line", "code", "said"),
    [
        ("admin", ["revise", "cor_none", "--correct", "x"], 1, "no correction"),
        ("admin", ["revise", "cor_none"], 2, "nothing to change"),
        ("admin", ["reject", "cor_none"], 2, "--reason"),
        ("admin", ["reject", "cor_none", "--reason", ""], 2, "give a few words"),
        ("admin", ["rollback", "cor_none", "--reason", " "], 2, "give a few words"),
        ("user", ["approve", "cor_none"], 1, "role"),
    ],
)
def test_a_refusal_says_why_and_is_no_success(errata: Errata, role: str, line: list[str], code: int, said: str) -> None:
    refused = errata(role, *line)
    assert (refused.exit_code, said in refused.output) == (code, True), refused.output
