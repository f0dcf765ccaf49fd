"""Follow-up questions: read by rule, by a model that can, and by rule again where it fails."""

from __future__ import annotations

import time

import pytest

from governance.accounts import Role
from server import follow_ups
from server.engines.scripted import ScriptedEngine
from server.follow_ups import FollowUps, Turn, standalone
from server.gateway import follow_ups_by_model
from server.prepare import PreparedModel
from server.settings import EngineSettings, Settings
from tests_support import furnish, house_of

BRIDGE = ("Who designed the Halden Bridge?", "The Halden Bridge was designed by Ines Takeda.")


def turns(*texts: str) -> list[Turn]:
    """User and assistant in turn."""
    return [Turn("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("said", "question"),
    [
        (turns("Who founded Apple?", "", "Where is it based?"), "Where is Apple based?"),
        (turns("What is the capital of France?", "Paris.", "And of Italy?"), "What is the capital of Italy?"),
        (turns(*BRIDGE, "When was she born?"), "When was Ines Takeda born?"),
        (turns(*BRIDGE, "What is her age?"), "What is Ines Takeda's age?"),
        (turns(*BRIDGE, "How long is it?"), "How long is Halden Bridge?"),
        (
            turns("Who wrote Hamlet?", "I do not know.", "When was he born?"),
            "When was Hamlet born?",
        ),  # nobody was named
        (turns("When did Einstein die?", "In 1955.", "And Newton?"), "When did Newton die?"),
        (turns("Where is Apple based?", "In Cupertino.", "Who founded it?"), "Who founded Apple?"),
        (
            turns("Who wrote Hamlet?", "William Shakespeare wrote Hamlet.", "When was he born?"),
            "When was William Shakespeare born?",
        ),
        (
            turns("Who painted Mona Lisa?", "It was painted by Leonardo da Vinci between wars.", "When was he born?"),
            "When was Leonardo da Vinci born?",
        ),
        (turns("When did Apollo 11 land?", "In 1969.", "Who flew it?"), "Who flew Apollo 11?"),
        (turns("Hello", "Hello!", "Who wrote Hamlet?"), "Who wrote Hamlet?"),
        ([*turns("Who wrote Hamlet?"), Turn("user", " ")], "Who wrote Hamlet?"),
        (turns(" Who wrote Hamlet?\n"), "Who wrote Hamlet?"),
        (turns("Who is Apple's boss?", "Tim Cook.", "Where is it based?"), "Where is Apple based?"),
        (turns("Who is Apple’s boss?", "Tim Cook.", "Where is it based?"), "Where is Apple based?"),
    ],
)
def test_by_rule_a_follow_up_takes_the_name_it_leans_on(said: list[Turn], question: str) -> None:
    assert standalone(said) == question


@pytest.mark.parametrize(
    ("asked", "read_as"),
    [
        ("and of italy?", "What is the capital of italy?"),
        ("What about Italy?", "What is the capital of Italy?"),
        ("and what about italy?", "What is the capital of italy?"),
        ("And the United Kingdom?", "What is the capital of the United Kingdom?"),
        ("And Indonesia?", "What is the capital of Indonesia?"),  # it begins with a preposition
        ("And Will Smith?", "What is the capital of Will Smith?"),
        ("And 'the far north'?", "What is the capital of 'the far north'?"),
        ("What about its population?", "What about France's population?"),
        ("Its population?", "France's population?"),
        ("Explain its history.", "Explain France's history."),
        ("Great! How old is it?", "Great! How old is France?"),
        ("Are there lakes in it?", "Are there lakes in France?"),
        ("Is it true that it has lakes?", "Is it true that France has lakes?"),
        ("Is it close to Italy?", "Is France close to Italy?"),
        ("Is it older than that bridge?", "Is France older than that bridge?"),
        ("Is Italy larger than it?", "Is Italy larger than France?"),
    ],
)
def test_a_follow_up_is_completed(asked: str, read_as: str) -> None:
    assert standalone(turns("What is the capital of France?", "Paris.", asked)) == read_as


@pytest.mark.parametrize(
    "asked",
    [
        "But why?",
        "And in which year?",
        "So what now?",
        "But are you sure?",
        "But Paris is small.",
        "And of people in the old town?",
        "And when was Rome founded?",
        "Then tell me about Rome",
        "And then?",
        "But of course.",
        "And in 1990?",
        "Are there lakes in Italy?",
        "How many lakes are there in Italy?",
        "Is it true that Rome is the capital of Italy?",
        "Was it really possible to travel to Rome?",
        "Is it safe to travel to Italy?",
        "What time is it in Italy?",
        "When did Microsoft buy its first company?",
        "When did Napoleon say that he would leave?",
    ],
)
def test_a_question_that_is_complete_or_takes_no_name_stays(asked: str) -> None:
    assert standalone(turns("What is the capital of France?", "Paris.", asked)) == asked


async def test_a_model_that_can_is_asked_and_only_about_questions_that_lean() -> None:
    engine = ScriptedEngine(lambda _asked, _version: '"How tall is the Halden Bridge above the water?"')
    follow_ups = FollowUps(engine, by_model=True)
    assert await follow_ups.standalone(turns(*BRIDGE, "And how tall is it?")) == (
        "How tall is the Halden Bridge above the water?"
    )
    assert BRIDGE[1] in str(engine.asked[0])
    for complete in (turns(*BRIDGE, "Who painted the Blue Door?"), turns("How tall is it?")):
        assert await follow_ups.standalone(complete) == complete[-1].text
    assert len(engine.asked) == 1


@pytest.mark.parametrize("reply", ["", "Certainly!\nHow tall is it?", "word " * 200])
async def test_what_is_no_question_is_not_taken(reply: str) -> None:
    follow_ups = FollowUps(ScriptedEngine(lambda _asked, _version: reply), by_model=True)
    assert await follow_ups.standalone(turns(*BRIDGE, "How tall is it?")) == "How tall is Halden Bridge?"


async def test_without_the_engine_the_rules_read() -> None:
    engine = ScriptedEngine()
    engine.is_up = False
    assert await FollowUps(engine, by_model=True).standalone(turns(*BRIDGE, "How tall is it?")) == (
        "How tall is Halden Bridge?"
    )


async def test_the_answer_says_how_a_follow_up_was_read(settings: Settings) -> None:
    services = furnish(settings, ScriptedEngine(lambda _asked, _version: "It is long."))
    messages = [{"role": turn.role, "content": turn.text} for turn in turns(*BRIDGE, "How tall is it?")]
    async with house_of(services, services.engine, with_pages=False, with_loops=False).client(Role.USER) as user:
        answer = (await user.post("/v1/chat/completions", json={"messages": messages})).json()
        alone = (await user.post("/v1/chat/completions", json={"messages": messages[:1]})).json()
    services.records.store.close()
    assert answer["errata"]["read_as"] == "How tall is Halden Bridge?"
    assert "read_as" not in alone["errata"]


def test_a_question_full_of_spaces_is_read_in_no_time() -> None:
    started = time.perf_counter()
    standalone(turns(*BRIDGE, "and" + " " * 20_000 + "a\nb"))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("url", "setting", "parameters", "by_model"),
    [
        (None, "auto", 135_000_000, False),
        (None, "auto", 7_000_000_000, True),
        (None, "model", 135_000_000, True),
        ("http://127.0.0.1:1", "auto", None, True),
        ("http://127.0.0.1:1", "rule", None, False),
    ],
)
def test_by_default_a_model_above_a_billion_parameters_reads(
    url: str | None,
    setting: str,
    parameters: int | None,
    by_model: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
) -> None:
    settings = Settings(engine=EngineSettings(url=url, follow_ups=setting), _env_file=None)  # type: ignore[arg-type]
    base = None if parameters is None else PreparedModel(tmp_path, "0" * 64, "llama")  # type: ignore[arg-type]
    monkeypatch.setattr(PreparedModel, "parameters", parameters)
    assert follow_ups_by_model(settings, base) is by_model


async def test_a_model_that_is_slow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_ups, "PATIENCE_S", 0.05)
    slow = FollowUps(ScriptedEngine(lambda _asked, _version: "How tall is Apple?", token_s=30), by_model=True)
    assert await slow.standalone(turns(*BRIDGE, "How tall is it?")) == "How tall is Halden Bridge?"


async def test_the_model_is_shown_the_last_turns_and_none_of_the_system_s() -> None:
    engine = ScriptedEngine(lambda _asked, _version: "How tall is Halden Bridge?")
    long = turns(*(f"turn {n} {'word ' * 500}" for n in range(20)))
    await FollowUps(engine, by_model=True).standalone(
        [*long, Turn("system", "Be brief."), Turn("user", "How tall is it?")]
    )
    shown = engine.asked[0][-1]["content"]
    assert "Be brief." not in shown
    assert [n for n in range(20) if f"turn {n} " in shown] == [15, 16, 17, 18, 19]
    assert len(shown) < 6 * 700
