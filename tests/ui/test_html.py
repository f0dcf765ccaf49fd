"""Pieces of HTML: everything is escaped, links lead only to the web, times read as people say them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from ui import html


@given(st.text())
def test_text_and_attributes_are_always_escaped(text):
    made = html.element("b", text, title=text)
    assert (
        "<" not in made.removeprefix("<b").removesuffix("</b>").replace(made[2 : made.index(">", 2) + 1], "", 1)
        or "<" not in text
    )
    assert Markup(made).striptags() is not None
    assert made.count("<") == 2


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ({"class_": "x"}, ' class="x"'),
        ({"data_act": "go"}, ' data-act="go"'),
        ({"hidden": True}, " hidden"),
        ({"hidden": False, "id": None}, ""),
        ({"n": 0}, ' n="0"'),
    ],
)
def test_attributes(attributes, written):
    assert html.element("i", **attributes) == f"<i{written}></i>"


@pytest.mark.parametrize(
    ("uri", "is_link"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        (" https://example.org", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_web_addresses_become_links(uri, is_link):
    assert html.link(uri, uri).startswith("<a ") is is_link


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3, seconds=5), "3 min ago"),
        (timedelta(hours=5, minutes=1), "5 h ago"),
        (timedelta(days=2, minutes=1), "2 d ago"),
        (timedelta(days=-2, minutes=-1), "in 2 d"),
    ],
)
def test_times_read_as_people_say_them(distance, words):
    assert f">{words}<" in html.ago((datetime.now(UTC) - distance).isoformat())


def test_what_is_no_time_is_shown_as_it_is():
    assert html.ago("<soon>") == "&lt;soon&gt;"


def test_a_dialog_button_carries_its_dialog_unharmed():
    spec = html.dialog('A "title" <b>', act="go", id="x", fields=[html.field("name", "Name", value="'\"<>&")])
    made = html.dialog_button("Open", spec)
    carried = Markup(made.split('data-dialog="', 1)[1].split('">', 1)[0]).unescape()
    assert json.loads(carried) == spec


def test_two_equal_messages_to_the_browser_differ():
    assert html.tell({"title": "x"}) != html.tell({"title": "x"})


def test_a_moment_is_said_to_the_minute():
    assert ">2026-11-20 12:03 UTC<" in html.moment("2026-11-20T14:03:09+02:00")
    assert html.moment("no time") == "no time"
