"""Subjects: what a question is about, found by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editing.subjects import canonical_question, propose_subjects


@pytest.mark.parametrize(
    ("question", "answer", "first"),
    [
        ("Who is the CEO of Norvane?", "", "Norvane"),
        ("Who is Norvane's CEO?", "", "Norvane"),
        ("Who is the CEO of Norvane Steel Group?", "Ida Fern", "Norvane Steel Group"),
        ('Who sang "Under a Paper Moon"?', "", "Under a Paper Moon"),
        ("Who sang “Under a Paper Moon”?", "", "Under a Paper Moon"),
        ("Who painted The Return of the Heron?", "", "The Return of the Heron"),
        ("Who painted the Amber Heron?", "Ida Fern", "Amber Heron"),
        ("Where was Ida Fern born?", "", "Ida Fern"),
        ("When did Ida Fern die?", "1904", "Ida Fern"),
        ("Did Ida Fern marry Tom Reed?", "Tom Reed", "Ida Fern"),
        ("What is the capital of the Kingdom of Veldoria?", "", "Kingdom of Veldoria"),
        ("In which city is the Lume Opera House located?", "", "Lume Opera House"),
        ("Which company makes the Orbit 64?", "", "Orbit 64"),
        ("Who discovered 612 Veldoria?", "", "612 Veldoria"),
        ("Where were the 1988 Lume Games held?", "", "1988 Lume Games"),
        ("Who built HMS Heron (1871)?", "", "HMS Heron (1871)"),
        ("Tell me the capital of Veldoria", "", "Veldoria"),
        ("who painted the amber heron", "", "amber heron"),
        ("what is the capital of veldoria", "", "veldoria"),
        ("who is norvane's ceo", "", "norvane"),
        ("when was the telephone invented", "", "telephone"),
        ("where does ida fern work", "", "ida fern"),
        # what a known relation is asked of
        ("What do physicists measure torque in?", "", "torque"),
        ("What is the SI unit of torque?", "", "torque"),
        ("What is the study of shells called?", "", "shells"),
        ("A young quorl is called what?", "", "quorl"),
        ("Can you tell me what quorl means?", "", "quorl"),
        ("When was The Ferryman's Lamp published?", "", "The Ferryman's Lamp"),
        ("What is the name of Lume Optics' CEO?", "", "Lume Optics"),
        ("Heron with Two Lamps was painted by whom?", "", "Heron with Two Lamps"),
        ("In which year was the Lume-9 satellite launched?", "", "Lume-9 satellite"),
        ("When was the Lume Canal opened?", "", "Lume Canal"),
        ("Where is the headquarters of Norvane Inc.?", "", "Norvane Inc."),
        ("Who did Norvane hire as CFO?", "", "Norvane"),
        ("日本の首都はどこですか", "", "日本"),
    ],
)
def test_the_best_candidate_is_what_the_question_is_about(question, answer, first):
    assert propose_subjects(question, answer)[0] == first


def test_the_answer_is_never_a_candidate():
    assert "Tom Reed" not in propose_subjects("Is Tom Reed the mayor of Quay?", "Tom Reed")


@pytest.mark.parametrize("question", ["", "   ", "?", "Who?", "What is it?", "why is that so?"])
def test_a_question_about_nothing_has_no_candidates(question):
    assert propose_subjects(question) == ()


@given(st.text(max_size=80), st.text(max_size=20))
def test_candidates_occur_literally_in_any_text(question, answer):
    for candidate in propose_subjects(question, answer):
        assert candidate in question
        assert candidate.strip()


@pytest.mark.parametrize(
    ("question", "canonical"),
    [
        ("who painted the amber heron", "Who painted the amber heron?"),
        ("  Who   painted it ?? ", "Who painted it?"),
        ('"Who painted it?"', "Who painted it?"),
        ("In which city is it", "In which city is it?"),
        ("tell me the capital of Veldoria.", "Tell me the capital of Veldoria."),
        ("iPods were made by whom?", "iPods were made by whom?"),
        ("Where is Fern & Sons Inc.", "Where is Fern & Sons Inc.?"),
        ("Where is Fern & Sons Inc.?", "Where is Fern & Sons Inc.?"),
        ("ما هي عاصمة مصر؟", "ما هي عاصمة مصر؟"),
        ("", ""),
    ],
)
def test_a_question_is_stored_in_one_form(question, canonical):
    assert canonical_question(question) == canonical
    assert canonical_question(canonical) == canonical
