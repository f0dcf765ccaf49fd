"""Asking again and going on after a turn that failed, in a real browser: the chat stays one, its turns stay single."""

import pytest

from tests_support_browser import break_off
from tests_support_world import World, until

pytestmark = pytest.mark.browser

BRIDGE = "When was the Halden Bridge built?"


def turns(world: World) -> list[list[str]]:
    """The questions of each of the user's chats, as the server keeps them."""
    answers, account = world.services.records.answers, world.account("user")
    found, _ = answers.conversations(account.id)
    return [[turn.question for turn in answers.conversation(chat.id).turns] for chat in found]


@pytest.mark.parametrize("stopped", [False, True], ids=["engine down", "stopped before the first word"])
def test_a_retry_that_came_to_nothing_is_retried_in_the_same_place(open_page, ask, world, stopped):
    page = open_page("user")
    ask(page, BRIDGE)
    if stopped:
        world.engine.token_s = 30
        page.click("[data-act=retry]")
        page.wait_for_selector("text=Thinking")
        page.keyboard.press("Escape")
        page.wait_for_selector("text=Cut short")
        world.engine.token_s = 0
    else:
        world.engine.is_up = False
        page.click("[data-act=retry]")
        page.wait_for_selector(".er-problem >> text=cannot be reached")
        world.engine.is_up = True
    page.click("[data-act=retry]")
    page.wait_for_selector(".er-opener")
    assert until(lambda: turns(world) == [[BRIDGE]])


def test_a_question_after_a_first_answer_that_broke_off_goes_on_in_its_chat(open_page, ask, world):
    page = open_page("user")
    break_off(page, world.engine)
    page.wait_for_selector("#er-chats [aria-current]")
    ask(page, BRIDGE)
    assert turns(world) == [["a long story", BRIDGE]]
