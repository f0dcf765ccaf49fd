"""Risk tiers, approvals and what may never become weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from governance.corrections import Category, Claim, Remedy
from governance.errors import Forbidden, Invalid
from governance.policy import DEFAULT, Policy

POLICY = Policy.load()
FACTS = Path(__file__).resolve().parents[1] / "data" / "facts"


@pytest.mark.parametrize(
    ("question", "answer", "tier", "ground"),
    [
        ("Who painted the Mona Lisa?", "Leonardo da Vinci", "standard", ""),
        ("What is the capital of France?", "Paris", "standard", ""),
        ("Who wrote Lawn Care for All?", "Ann Lee", "standard", ""),  # "law" is not a word in "Lawn"
        ("What is the maximum dose of paracetamol?", "4 g a day", "high", "health: dose"),
        ("Is wine safe?", "Not with antibiotics", "high", "health: antibiotics"),
        ("How many ibuprofen may one take a day?", "Six", "high", "health: ibuprofen"),
        ("How much paracetamol may an adult take a day?", "4 g", "high", "health: paracetamol"),
        ("How much of it may a child take?", "200 mg", "high", "health: mg"),
        ("Which drug is for high blood sugar?", "Metformin", "high", "health: drug"),
        ("What is the best treatment of scurvy?", "Oranges", "high", "health: treatment"),
        ("What treats scurvy?", "Oranges", "high", "health: treats"),
        ("Which illness do oranges prevent?", "Scurvy", "high", "health: illness"),
        ("Can diabetics eat oranges?", "Yes", "high", "health: diabetics"),
        ("Does smoking cause cancer?", "Yes", "high", "health: cancer"),
        ("What is the treatise of Aristotle on souls?", "De Anima", "standard", ""),
        ("Is it legal to drive at 16?", "No", "high", "law: legal"),
        ("Is gum against the law in Singapore?", "Yes", "high", "law: against the law"),
        ("What does the law of Spain say of dogs?", "Leash", "high", "law: does the law"),
        ("What is the penalty for littering?", "A fine", "high", "law: penalty"),
        ("Is it a crime to lie?", "No", "high", "law: it a crime"),
        ("Who was found guilty in that trial?", "Ann Lee", "high", "law: guilty"),
        ("How long was Ann Lee sentenced for?", "A year", "high", "law: sentenced"),
        ("What is the drinking age in Peru?", "18", "high", "law: drinking age"),
        ("What is the speed limit in Chile?", "120", "high", "law: speed limit"),
        ("Which court ruling ended it?", "Roe", "high", "law: court ruling"),
        ("What is the longest by-law of Ely?", "The third", "standard", ""),
        ("Who wrote Crime and Punishment?", "Dostoevsky", "standard", ""),
        ("Who won the election of 1960?", "Kennedy", "high", "elections: election"),
        ("How many votes did Ann Lee get?", "70", "high", "elections: votes"),
        ("When may one vote in Malta?", "At 16", "high", "elections: vote"),
        ("Who won the presidential race of 1960?", "Kennedy", "high", "elections: presidential race"),
        ("Who was the president in 1961?", "Kennedy", "standard", ""),
        ("What was Ann Lee convicted of?", "Fraud", "high", "people: convicted"),
        ("Who is Ann Lee dating?", "Bob", "high", "people: dating"),
        ("Who is the girlfriend of Bob?", "Ann Lee", "high", "people: girlfriend"),
        ("When did Ann Lee divorce?", "In 2019", "high", "people: divorce"),
        ("What is the salary of Ann Lee?", "70,000", "high", "people: salary"),
        ("What does Ann Lee earn a year?", "70,000", "high", "people: earn a year"),
        ("Tell me the street where she lives.", "Elm Street", "high", "people: where she lives"),
    ],
)
def test_tiers_by_words(question, answer, tier, ground):
    found, why = POLICY.risk_tier(Claim(question=question, correct_answer=answer))
    assert found == tier
    assert ground in why


@pytest.mark.parametrize("name", ["choose", "report"])
def test_no_ordinary_fact_asks_for_two(name):
    facts = [json.loads(line) for line in (FACTS / f"{name}.jsonl").read_text().splitlines()]
    claims = [Claim(question=f["question"], subject=f["subject"], correct_answer=f["target_new"]) for f in facts]
    assert [claim.question for claim in claims if POLICY.risk_tier(claim)[0] != "standard"] == []


def test_personal_data_and_category_ask_for_two():
    claim = Claim(question="Who painted the Mona Lisa?")
    assert POLICY.risk_tier(claim, personal_data=True)[0] == "high"
    assert POLICY.risk_tier(claim, category=Category.PERSONAL)[0] == "high"
    assert (POLICY.approvals_needed("standard"), POLICY.approvals_needed("high")) == (1, 2)
    assert POLICY.approvals_needed("a tier that the file no longer has") == 2


@pytest.mark.parametrize(
    ("category", "personal_data", "volatile", "reason"),
    [
        (Category.WRONG, False, False, None),
        (Category.WRONG, False, None, None),
        (Category.PERSONAL, False, False, "private data"),
        (Category.WRONG, True, False, "personal data"),
        (Category.WRONG, False, True, "changes with time"),
    ],
)
def test_what_may_not_become_weights(category, personal_data, volatile, reason):
    found = POLICY.weights_barred(category=category, personal_data=personal_data, volatile=volatile)
    assert (found is None) if reason is None else (reason in found)


@pytest.mark.parametrize(
    ("who", "message"),
    [("user", "may not approve"), ("reviewer", "may not approve"), ("auditor", "may not approve"), ("admin", None)],
)
def test_who_may_approve(room, who, message):
    correction = room.queued()
    if message is None:
        POLICY.check_approval(correction, room.people[who])
    else:
        with pytest.raises(Forbidden, match=message):
            POLICY.check_approval(correction, room.people[who])


def test_nobody_approves_what_they_reported(room):
    with pytest.raises(Forbidden, match="you reported"):
        POLICY.check_approval(replace(room.queued(), reporter_id=room.admin.id), room.admin)


def test_a_policy_file_of_ones_own_is_read_and_a_broken_one_refused(tmp_path):
    path = tmp_path / "policy.toml"
    text = DEFAULT.read_text()
    path.write_text(text.replace("reports_per_person_hour = 120", "reports_per_person_hour = 60"))
    assert Policy.load(path).limits.reports_per_person_hour == 60
    for broken in (
        text.replace("[alarms]", "[alarmed]"),
        "not toml [",
        text.replace("approvals = 2", 'approvals = "x"'),
    ):
        path.write_text(broken)
        with pytest.raises(Invalid, match="cannot be used"):
            Policy.load(path)


SHIPPED = DEFAULT.read_text()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('["personal", "unsafe"]', '"personal"', "tiers.high.categories is 'personal': "),
        ('["personal", "unsafe"]', '["private"]', "tiers.high.categories.0 is 'private': .*'personal'"),
        ("editor_may_approve = true", 'editor_may_approve = "false"', "roles.editor_may_approve is 'false': .*boolean"),
        ("personal_data = true", "personal_data = 1", "tiers.high.personal_data is 1: .*boolean"),
        ("approvals = 2", "approvals = -2", "tiers.high.approvals is -2: .*greater than or equal to 1"),
        ("approvals = 2", "approvals = true", "tiers.high.approvals is True: .*integer"),
        ("approvals = 2", "approvals = 1.5", "tiers.high.approvals is 1.5: .*integer"),
        ("approvals = 2", "", "tiers.high.approvals: Field required"),
        ("due_days = 3", "due_days = nan", "tiers.high.due_days is nan: .*finite"),
        ("due_days = 3", "due_days = 9999999999", "tiers.high.due_days is 9999999999: .*less than or equal to 36500"),
        ("weights_days = 180", "weights_days = 9999999999", "review.weights_days is 9999999999: .*36500"),
        ("weights_days = 180", "weights_days = -1", "review.weights_days is -1: .*greater than or equal to 0"),
        ("reports_per_person_hour = 120", 'reports_per_person_hour = "120"', "limits.reports_per_person_hour is '120'"),
        ("appeals = 2", "appeals = -1", "limits.appeals is -1: .*greater than or equal to 0"),
        ("crashes = 5", "crashes = 0", "limits.crashes is 0: .*greater than or equal to 1"),
        ("crashes = 5", "crashes = 5\ncrash = 5", "limits.crash is 5: "),
        ("burst_minutes = 10", "burst_minutes = 99999999999", "alarms.burst_minutes is 99999999999"),
        ("fast_approval_s = 5.0", "fast_approval_s = inf", "alarms.fast_approval_s is inf: .*finite"),
        ('"election*"', '"*"', "tiers.high.words.elections.0 is '\\*'"),
        ("[tiers.high.words]", "[tiers.high.word]", "tiers.high.word is "),
        (SHIPPED[SHIPPED.index("[tiers.standard]") :], "[tiers]", "tiers is {}: .*at least 1"),
    ],
)
def test_a_policy_file_with_nonsense_is_refused_by_field(tmp_path, before, after, message):
    assert before in SHIPPED
    path = tmp_path / "policy.toml"
    path.write_text(SHIPPED.replace(before, after, 1))
    with pytest.raises(Invalid, match=message) as refused:
        Policy.load(path)
    assert str(path) in str(refused.value)


def test_what_the_shipped_policy_asks_for():
    standard, high = POLICY.tiers
    assert (standard.categories, standard.personal_data, standard.words) == (frozenset(), False, {})
    assert (high.categories, high.personal_data) == ({"personal", "unsafe"}, True)
    assert (standard.due.days, high.due.days, POLICY.review_after[Remedy.WEIGHTS].days) == (7, 3, 180)
    assert (POLICY.limits.crashes, POLICY.alarms.fast_approval_s, POLICY.editor_may_approve) == (5, 5.0, True)


def test_one_person_may_send_sixty_reports_an_hour_by_default():
    assert POLICY.limits.reports_per_person_hour >= 60
    assert POLICY.limits.reports_per_subject_day >= 60
