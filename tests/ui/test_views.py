"""What the pages show, as values: steps of a report, plots, figures of versions, what each role is offered."""

import base64
import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import (
    chat_state,
    decisions_view,
    erasure_view,
    health_view,
    log_view,
    own_reports_view,
    people_view,
    plots,
    queue_view,
    versions_view,
)
from ui.admin_records import Version
from ui.chat_state import ChatState
from ui.erasure_record import Erasure
from ui.inclusion import leaf_hash
from ui.log_texts import LOG
from ui.records import Me, Report, Turn

ADMIN = Me(id="acc_a", name="admin", role="admin")
REVIEWER = Me(id="acc_r", name="rhea", role="reviewer")
AUDITOR = Me(id="acc_o", name="otto", role="auditor")


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        ("flagged", 1),
        ("needs_evidence", 1),
        ("queued", 2),
        ("approved", 3),
        ("editing", 3),
        ("live", 4),
        ("in_knowledge", 4),
    ],
)
def test_a_report_shows_how_far_it_has_come(status, reached):
    assert own_reports_view.progress(status).count('class="er-on"') == reached


@pytest.mark.parametrize("status", ["rejected", "closed", "rolled_back", "failed", "superseded"])
def test_a_report_that_ended_elsewhere_says_so(status):
    shown = own_reports_view.progress(status)
    assert 'class="er-bad"' in shown
    assert "Fixed" not in shown


@pytest.mark.parametrize(
    ("me", "status", "keys"),
    [
        (ADMIN, "queued", "are"),
        (REVIEWER, "queued", "re"),
        (AUDITOR, "queued", ""),
        (ADMIN, "live", ""),
        (REVIEWER, "flagged", "re"),
        (ADMIN, "rejected", ""),
    ],
)
def test_each_role_is_offered_what_it_may_do(me, status, keys):
    shown = "".join(decisions_view.actions(Report.read({"id": "cor_1", "status": status, "remedy": "weights"}), me))
    assert [key for key in "are" if f'data-key="{key}"' in shown] == list(keys)


def test_what_decides_on_words_says_which_round_of_them_was_read():
    report = Report.read({"id": "cor_1", "status": "queued", "remedy": "weights", "round": 7})
    dialogs = [decisions_view.approve_dialog(report), decisions_view.edit_dialog(report)]
    for dialog in (*dialogs, decisions_view.reroute_dialog(report)):
        assert {"name": "round", "label": "", "type": "hidden", "value": "7"} in dialog["fields"]


def test_each_source_says_whether_it_holds_the_answer():
    findings = [{"holds_answer": True}, {"holds_answer": False}, {"holds_answer": None, "why": "no <b>such</b> host"}]
    sources = ["https://a.example", "a plate", "https://b.example", "https://came.later.example"]
    shown = queue_view.detail(
        Report.read({"id": "cor_1", "status": "queued", "evidence": sources, "triage": {"evidence": findings}}), ADMIN
    )
    for source, said in zip(
        sources,
        ["holds the answer", "does not hold the answer", "not read: no &lt;b&gt;such&lt;/b&gt; host"],
        strict=False,
    ):
        assert f"{said}</div>" in shown[shown.index(source) :].split("<div>")[0]
    assert shown[shown.index(sources[-1]) :].split("</div>")[0].endswith("</a>")


def test_only_admins_can_undo_and_only_once():
    live = {"id": "cor_1", "status": "live"}
    assert "Undo" in "".join(decisions_view.actions(Report.read(live), ADMIN))
    assert decisions_view.actions(Report.read(live), REVIEWER) == []
    assert decisions_view.actions(Report.read({**live, "undo_requested": True}), ADMIN) == []


@pytest.mark.parametrize("status", ["approved", "failed"])
def test_only_admins_can_take_a_correction_back_to_the_queue(status):
    report = Report.read({"id": "cor_1", "status": status})
    assert "Back to the queue" in "".join(decisions_view.actions(report, ADMIN))
    assert decisions_view.actions(report, REVIEWER) == []


def test_a_prompt_leaves_out_turns_without_an_answer():
    turns = [Turn(question="a", answer="b"), Turn(question="c", answer="", error="down")]
    assert chat_state.as_prompt(turns) == [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


def test_a_conversation_is_exported_with_its_provenance():
    source = {"id": "p", "title": "T", "as_of": "2026-11-20"}
    errata = {"route": "retrieval", "weights_version": "v1", "passages": [source]}
    turn = Turn.read({"answer_id": "ans_1", "question": "Q", "answer": "A [1]", "errata": errata})
    written = chat_state.as_markdown(ChatState(title="Talk", turns=(turn,)))
    assert (
        written
        == "# Talk\n\n**Question:** Q\n\nA [1]\n\n*Knowledge · weights v1 · ans_1*\n\n[1] T  (as of 2026-11-20)\n"
    )


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_every_course_stays_inside_its_drawing(values):
    drawn = plots.course(values, [str(n) for n in range(len(values))], title="x", said=[str(v) for v in values])
    heights = [float(piece.split('"')[0]) for piece in drawn.split('cy="')[1:]]
    assert len(heights) == len(values)
    assert all(0 <= height <= 64 for height in heights)


@pytest.mark.parametrize(("marked", "total", "filled"), [(0, 6, 0), (5, 6, 5), (6, 6, 6), (50, 100, 20), (0, 0, 0)])
def test_dots_fill_the_share(marked, total, filled):
    assert plots.dots(marked, total, label="x").count("er-dot-on") == filled


@pytest.mark.parametrize(
    ("summary", "figure"),
    [
        ({"direct": 1}, 1.0),
        ({"direct": 0.5}, 0.5),
        ({"direct": True}, None),
        ({"direct": "1"}, None),
        ({}, None),
    ],
)
def test_a_figure_is_found_where_the_summary_keeps_it(summary, figure):
    assert versions_view.figure_of(Version.read({"id": "v", "verification": summary}), ("direct",)) == figure


def test_a_secret_is_shown_with_a_button_that_copies_it():
    shown = people_view.secrets_dialog("x", {"password": "pw<1>", "key": None})["html"]
    assert 'data-text="pw&lt;1&gt;"' in shown
    assert "API key" not in shown


@pytest.mark.parametrize(
    ("state", "look"), [("ok", "ok"), ("idle", "ok"), ("solving", "info"), ("not running", "warn"), ("down", "warn")]
)
def test_a_worker_at_work_is_no_warning(state, look):
    assert f'er-is-{look}">{state}<' in health_view.health({"ready": True, "parts": {"worker": state}})


def test_a_place_that_holds_a_name_inside_a_longer_word_says_so():
    found = [
        {"place": "document", "about": "Wool", "ref": "doc_1", "within_a_word": True},
        {"place": "document", "about": "Staff", "ref": "doc_2", "within_a_word": False},
    ]
    request = {"id": "era_1", "status": "found", "steps": [{"to": "found", "at": "2026-01-01T00:00:00+00:00"}]}
    shown = erasure_view.checklist(Erasure.read({**request, "counts": {"document": 2}, "occurrences": found}), ADMIN)
    assert shown.count("inside a longer word") == 1
    assert "inside a longer word" in shown.split("Wool")[1].split("Staff")[0]


def test_a_refusal_gives_its_reason_to_the_admin_and_to_the_person():
    steps = [{"to": "refused", "at": "2026-01-01T00:00:00+00:00", "note": {"ground": "gdpr-17-3-e"}}]
    refused = {
        "id": "era_1",
        "kind": "erasure",
        "status": "refused",
        "refusal": "we need it <b>now</b>",
        "steps": steps,
    }
    request = Erasure.read(refused)
    for shown in (erasure_view.checklist(request, ADMIN), str(erasure_view.own_dialog([request])["html"])):
        assert "we need it &lt;b&gt;now&lt;/b&gt;" in shown
        assert "Legal claims (GDPR 17(3)(e))" in shown
    assert "Ground" not in erasure_view.checklist(Erasure.read({"id": "era_1", "status": "found"}), ADMIN)


def test_only_ids_are_cut_short_in_the_log():
    body = {"n": 1, "to": "rolled_back", "correction": f"cor_{'k3v2' * 8}", "for": "kill_switch", "version": "4c9" * 10}
    assert log_view.facts(body) == [
        "to rolled_back",
        "correction k3v2k3v2k3v2k3",
        "for kill_switch",
        f"version {'4c9' * 10}",
    ]


def test_a_proof_is_of_the_very_text_that_was_hashed():
    body = {"by": "Zoë", "kind": "moved", "n": 1}
    text = json.dumps(body, separators=(",", ":"))
    leaf = leaf_hash(text.encode())
    checkpoint = f"errata\n1\n{base64.b64encode(leaf).decode()}\n"
    found = {"leaf_hash": leaf.hex(), "hashes": []}
    shown = log_view.proof(1, {"n": 1, "entry": body, "text": text}, found, checkpoint)["html"]
    assert LOG.proof_good.format(n=1, size=1) in shown
    assert text in html.unescape(shown)


def test_who_decides_anew_about_a_request_finds_what_was_decided_last():
    note = {"questions": {"correct": True, "many": False, "certainty": "highest"}}
    request = {
        "id": "era_1",
        "status": "decided",
        "next": ["decide"],
        "steps": [{"to": "decided", "at": "2026-01-01T00:00:00+00:00", "note": note}],
        "occurrences": [{"place": "text", "ref": "txt_1"}, {"place": "text", "ref": "txt_2"}],
        "decision": {"reason": "asked for", "exceptions": "none", "keep": ["txt_2", "txt_gone"]},
        "right_answers": {"Who is she?": "a dentist"},
    }
    shown = html.unescape(erasure_view.checklist(Erasure.read(request), ADMIN))
    for name, value in {
        "correct": "yes",
        "many": "",
        "certainty": "highest",
        "reason": "asked for",
        "exceptions": "none",
        "keep": "txt_2",
        "right_answers": "Who is she? = a dentist",
    }.items():
        assert re.search(
            rf'"name": "{name}", "label": "[^"]*", "type": "[a-z]*", "value": "{re.escape(value)}"', shown
        ), name


def test_whom_a_request_is_about_and_how_that_is_known_is_said():
    request = {
        "id": "era_1",
        "status": "identity_verified",
        "account": "acc_1",
        "login": "ann",
        "identity": "By her passport.",
    }
    shown = erasure_view.checklist(Erasure.read(request), ADMIN)
    assert "<h2>the account ann</h2>" in shown
    assert "By her passport." in shown
    assert erasure_view.about(Erasure.read({**request, "names": ["Ann Lee"]})) == "Ann Lee · the account ann"
    assert erasure_view.about(Erasure.read({"account": "acc_1"})) == "an account holder"


@pytest.mark.parametrize(("aside", "act"), [(False, "select"), (True, "show")])
def test_another_report_is_opened_where_this_one_stands(aside, act):
    report = Report.read({"id": "cor_1", "status": "superseded", "superseded_by": "cor_2", "conflicts": ["cor_3"]})
    shown = queue_view.detail(report, ADMIN, aside=aside)
    for other in ("cor_2", "cor_3"):
        assert f'data-act="{act}" data-id="{other}"' in shown


def test_a_report_says_how_its_answer_came_about_what_was_chosen_and_when_it_is_due_again():
    record = {
        "id": "cor_1",
        "status": "live",
        "remedy": "weights",
        "fallback": "none",
        "approvals": [{"actor": "psn_1", "role": "admin", "at": "2026-01-01T00:00:00+00:00"}],
        "router": {"route": "retrieval"},
        "review_due": "2027-05-01T00:00:00+00:00",
    }
    shown = queue_view.detail(Report.read(record), ADMIN)
    for words in ("<dt>Answered by</dt><dd>Knowledge</dd>", "withdraw the card too", "2027-05-01", "(Admin)"):
        assert words in shown


def test_an_approval_that_policy_bars_is_not_offered():
    barred = {"id": "cor_1", "status": "queued", "approval_barred": "you reported this correction"}
    assert 'data-key="a"' not in queue_view.detail(Report.read(barred), ADMIN)
    assert "You cannot approve this: you reported this correction." in queue_view.detail(Report.read(barred), ADMIN)
    assert "You cannot approve" not in queue_view.detail(Report.read(barred), REVIEWER)


def test_what_the_keyboard_reaches_has_a_name():
    assert 'role="group" aria-label="Status"' in queue_view.filters({}, current="queued")
    assert 'tabindex="0" role="group" aria-label="Accounts"' in people_view.people([], ADMIN)
