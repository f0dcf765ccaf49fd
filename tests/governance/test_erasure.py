"""Erasure: the six steps, what they leave, and that no byte of the text stays."""

import sqlite3

import pytest
from tests_support_requests import ANN, FEW, PROBES, chat, ready

from governance.corrections import Status
from governance.errors import Invalid, MoveNotAllowed
from governance.export import record_export
from governance.requests import Choice, Kind, Method, Occurrence, Outcome, Place, Questions, Step, Subject
from governance.residual import Probes
from governance.tools import Tools


def bytes_of(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("name", ["ab", "a\u200bb", "王", "\u200b\u200b\u200b"])
def test_a_name_that_would_be_found_everywhere_is_refused(room, erasures, name):
    with pytest.raises(Invalid, match="too short"):
        erasures.file(room.admin, subject=Subject(names=(name,)))


def test_a_ground_in_free_words_is_refused(room, erasures):
    filed = erasures.file(room.admin, subject=ANN)
    for ground in ("Ann Zebra-Lee asked for it", "ann-zebra-17", "because", ""):
        with pytest.raises(Invalid, match="short code"):
            erasures.refuse(filed.id, room.admin, reason="a claim in law", ground=ground)
    refused = erasures.refuse(filed.id, room.admin, reason="a claim in law", ground="Art.17(3)(e)")
    assert refused.steps[-1].note == {"ground": "Art.17(3)(e)"}


def test_a_refusal_keeps_its_reason_and_ground_and_nothing_of_the_person(room, erasures):
    tools = Tools(ask=lambda asked: ["Ann Zebra-Lee"] * len(asked))
    filed = erasures.file(room.admin, subject=ANN, statement="Remove Ann Zebra-Lee")
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=tools, probes=PROBES)
    sealed = bytes(room.store.value("SELECT sealed FROM texts WHERE owner = :id", id=filed.id))
    refused = erasures.refuse(filed.id, room.admin, reason="a claim in law", ground="gdpr-17-3-e")
    assert (refused.status, refused.subject.needles, refused.statement) == (Step.REFUSED, (), "")
    assert (refused.occurrences, refused.probes) == ((), None)
    assert room.texts_of(filed.id) == ['{"refusal": "a claim in law"}']
    assert (refused.steps[-1].note, refused.created) == ({"ground": "gdpr-17-3-e"}, filed.created)
    assert (filed.refusal, refused.refusal) == ("", "a claim in law")
    assert sealed not in bytes_of(room.path)
    with pytest.raises(MoveNotAllowed):
        erasures.refuse(filed.id, room.admin, reason="again", ground="gdpr-17-3-e")


def test_a_later_erasure_destroys_a_refusal_that_names_the_person(room, erasures):
    filed = erasures.file(room.admin, subject=ANN)
    refused = erasures.refuse(filed.id, room.admin, reason="Ann Zebra-Lee sues us", ground="gdpr-17-3-e")
    request = ready(room, erasures)
    assert [one.place for one in request.occurrences] == [Place.TEXT]
    assert erasures.execute(request.id, room.admin, tools=Tools()).residual["texts_left"] == 0
    assert room.texts_of(refused.id) == []
    assert erasures.get(refused.id).steps == refused.steps
    assert (refused.refusal, erasures.get(refused.id).refusal) == ("Ann Zebra-Lee sues us", "")


def test_a_person_without_an_account_is_found_in_what_others_wrote(room, erasures):
    asked = chat(room, room.user, "Where does Ann Zebra-Lee live?", "Write to ANN@ZEBRA.EXAMPLE")
    other = chat(room, room.user, "Where is Paris?")
    about = room.queued(question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    by_reason = room.queued(question="Who is Bob?")
    room.ledger.reject(by_reason.id, room.admin, reason="Ann Zebra-Lee said so")
    request = ready(room, erasures)
    refs = {(one.place, one.ref) for one in request.occurrences}
    assert (Place.CORRECTION, about.id) in refs
    assert (Place.CORRECTION, by_reason.id) in refs
    assert (Place.TEXT, asked.question_text_id) in refs
    assert (Place.TEXT, asked.answer_text_id) in refs
    assert other.question_text_id not in {ref for _, ref in refs}
    done = erasures.execute(request.id, room.admin, tools=Tools())
    assert done.residual["texts_left"] == 0
    assert room.ledger.get(about.id).erased
    assert room.answers.texts(room.answers.get(other.id))[0] == "Where is Paris?"


def test_no_byte_of_the_text_or_of_its_sealed_form_stays(room, erasures):
    chat(room, room.user, "I am Ann Zebra-Lee", "Hello Ann Zebra-Lee")
    about = room.flag(room.people["other_user"], question="Who is Ann Zebra-Lee?", comment="ann@zebra.example")
    sealed = [bytes(row["sealed"]) for row in room.store.rows("SELECT sealed FROM texts")]
    wrapped = room.store.value("SELECT wrapped FROM person_keys WHERE owner = :id", id=room.user.id)
    request = ready(room, erasures, Subject(ANN.names, ANN.identifiers, room.user.id))
    erasures.execute(request.id, room.admin, tools=Tools())
    erasures.close(request.id, room.admin, told=True)
    data = bytes_of(room.path)
    for planted in (b"Zebra", b"zebra"):
        assert planted not in data
    kept = {bytes(row["sealed"]) for row in room.store.rows("SELECT sealed FROM texts")}
    assert not any(text in data for text in sealed if text not in kept)
    assert bytes(wrapped) not in data
    assert room.ledger.get(about.id).erased


def test_the_log_names_nobody_and_its_proofs_stay_valid(room, erasures):
    chat(room, room.user, "I am Ann Zebra-Lee")
    size, root = room.log.size(), room.log.root()
    request = ready(room, erasures, Subject(ANN.names, ANN.identifiers, room.user.id))
    erasures.execute(request.id, room.admin, tools=Tools())
    closed = erasures.close(request.id, room.admin, told=True)
    assert room.log.root(size) == root
    text = "".join(entry.text for entry in room.log.entries())
    for secret in ("Zebra", "zebra", "passport", "Remove me", "overriding"):
        assert secret not in text
        assert secret not in str(closed.certificate)
    assert [step.to_step.value for step in closed.steps] == [
        "received",
        "identity_verified",
        "found",
        "decided",
        "approved",
        "applied",
        "verified",
        "closed",
    ]
    assert [room.entries()[step.entry - 1]["to"] for step in closed.steps] == [step.to_step for step in closed.steps]
    assert closed.subject.names == ()


def test_a_live_edit_about_the_person_is_dropped_its_versions_purged_and_barred(room, erasures):
    about = room.live("v1", question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    discarded, said = [], {"Who is Ann?": "Ann Zebra-Lee", "Who works with Bob?": "Ann Zebra-Lee", "Who is Bob?": "Bob"}

    def drop(request, choice):
        room.ledger.request_rollback(about.id, room.admin)
        room.versions.desire("base", actor="erasure")
        room.ledger.published(version_id="base", rolled_back=[about.id])
        said["Who is Ann?"] = "I do not know"
        return Outcome(Method.DROP_EDIT, len(choice.refs))

    def overwrite(request, choice):
        said["Who works with Bob?"] = "Somebody"
        return Outcome(Method.NEUTRAL_EDIT, len(choice.refs))

    tools = Tools(
        apply={Method.DROP_EDIT: drop, Method.NEUTRAL_EDIT: overwrite},
        ask=lambda asked: [said[question] for question in asked],
        discard=discarded.append,
    )
    request = ready(room, erasures, tools=tools, probes=PROBES)
    assert [choice.method for choice in request.choices] == [
        Method.DROP_EDIT,
        Method.DELETE_TEXT,
        Method.NEUTRAL_EDIT,
    ]
    done = erasures.execute(request.id, room.admin, tools=tools)
    assert discarded == ["v1"]
    assert (done.residual["revealing"], done.residual["probes"], done.residual["neighbours_changed"]) == (0, 2, 0)
    assert done.residual["interval"][1] > 0.5  # two probes prove little, and the certificate says so
    with pytest.raises(MoveNotAllowed, match="purged"):
        room.versions.desire("v1", actor=room.admin)
    with pytest.raises(MoveNotAllowed, match="purged"):
        room.build("v1", about.id)
    assert room.ledger.get(about.id).erased


def test_an_interrupted_execution_goes_on_where_it_stopped(room, erasures):
    chat(room, room.user, "Ann Zebra-Lee")
    calls = []

    def delete_document(request, choice):
        calls.append("document")
        return Outcome(Method.DELETE_DOCUMENT, 1)

    def cache(request, choice):
        calls.append("cache")
        if calls.count("cache") == 1:
            raise OSError("disk full")
        return Outcome(Method.REBUILD_CACHE, 1)

    tools = Tools(
        find=[lambda subject: [Occurrence(Place.DOCUMENT, "doc_1"), Occurrence(Place.CACHE, "faiss")]],
        apply={Method.DELETE_DOCUMENT: delete_document, Method.REBUILD_CACHE: cache},
    )
    request = ready(room, erasures, tools=tools)
    with pytest.raises(OSError, match="disk full"):
        erasures.execute(request.id, room.admin, tools=tools)
    assert erasures.get(request.id).status is Step.APPROVED
    assert erasures.execute(request.id, room.admin, tools=tools).status is Step.VERIFIED
    assert calls == ["document", "cache", "cache"]


def test_a_method_that_nobody_can_carry_out_is_refused_before_anything_is_touched(room, erasures):
    chat(room, room.user, "Ann Zebra-Lee")
    tools = Tools(find=[lambda subject: [Occurrence(Place.DOCUMENT, "doc_1")]])
    request = ready(room, erasures, tools=tools)
    with pytest.raises(Invalid, match="delete_document"):
        erasures.execute(request.id, room.admin, tools=tools)
    assert erasures.get(request.id).outcomes == ()


def test_the_certificate_names_the_copies_that_were_taken_out_before(room, erasures):
    for what, texts in (("log", False), ("corrections", False), ("corrections", True), ("model", False)):
        record_export(room.store, room.log, what, of=None, texts=texts, actor="opr_1")
    request = ready(room, erasures)
    erasures.execute(request.id, room.admin, tools=Tools())
    remains = erasures.close(request.id, room.admin, told=True).certificate["remains"]
    assert next(line for line in remains if "exports" in line).startswith("copies in 2 exports made before")


def test_the_certificate_says_what_the_decider_kept_and_on_which_ground(room, erasures):
    found = [Occurrence(Place.DOCUMENT, "doc_1"), Occurrence(Place.EXPORT, "fil_1"), Occurrence(Place.EXPORT, "fil_2")]
    filed = erasures.file(room.admin, subject=ANN)
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=Tools(find=[lambda subject: found]))
    exceptions = "Ann Zebra-Lee, ann@zebra.example: gdpr-17-3-e, Art. 17(3)(b)"
    refs = [one.ref for one in found]
    erasures.decide(filed.id, room.admin, questions=FEW, reason="r", exceptions=exceptions, keep=refs)
    erasures.approve(filed.id, room.admin)
    erasures.execute(filed.id, room.admin, tools=Tools())
    certificate = erasures.close(filed.id, room.admin, told=True).certificate
    assert certificate["remains"] == ["kept by decision: 1 document, 2 files"]
    assert certificate["exceptions"] == {"considered": True, "codes": ["gdpr-17-3-e", "art.17(3)(b)"]}
    assert "zebra" not in str(certificate).lower()


def test_what_only_retraining_could_do_is_said_to_remain(room, erasures):
    tools = Tools(ask=lambda asked: ["Ann Zebra-Lee"] * len(asked))
    highest = Questions(correct=False, many=False, certainty="highest")
    request = ready(room, erasures, tools=tools, probes=PROBES, questions=highest)
    erasures.execute(request.id, room.admin, tools=tools)
    certificate = erasures.close(request.id, room.admin, told=False).certificate
    assert any("trained again" in line for line in certificate["remains"])
    assert certificate["residual_risk"]["share"] == 1.0
    assert (certificate["model_before"]["revealing"], certificate["model_before"]["probes"]) == (2, 2)
    assert certificate["subject_told"] is False


def test_merged_choices_are_carried_out_once(room, erasures):
    about = room.flag(question="Who is Ann Zebra-Lee?")
    chat(room, room.people["other_user"], "Ann Zebra-Lee?")
    request = ready(room, erasures)
    assert sum(isinstance(choice, Choice) and choice.method is Method.DELETE_TEXT for choice in request.choices) == 2
    done = erasures.execute(request.id, room.admin, tools=Tools())
    assert [outcome.method for outcome in done.outcomes] == [Method.DELETE_TEXT]
    assert room.ledger.get(about.id).status is Status.CLOSED


def test_an_integrity_check_of_the_file_passes_after_an_erasure(room, erasures):
    chat(room, room.user, "Ann Zebra-Lee")
    request = ready(room, erasures)
    erasures.execute(request.id, room.admin, tools=Tools())
    connection = sqlite3.connect(room.store.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_what_the_decider_keeps_stays(room, erasures):
    namesake = room.queued(question="Who is Ann Zebra-Lee, the painter?", correct_answer="A painter of Delft")
    about = room.queued(question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    filed = erasures.file(room.admin, subject=ANN)
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=Tools())
    with pytest.raises(Invalid, match="cor_none"):
        erasures.decide(filed.id, room.admin, questions=FEW, reason="r", keep=["cor_none"])
    decided = erasures.decide(filed.id, room.admin, questions=FEW, reason="another Ann", keep=[namesake.id])
    assert decided.steps[-1].note["kept"] == 1
    erasures.approve(filed.id, room.admin)
    erasures.execute(filed.id, room.admin, tools=Tools())
    assert room.ledger.get(about.id).erased
    assert not room.ledger.get(namesake.id).erased


def test_a_rectification_of_what_the_model_says_needs_the_right_answer(room, erasures):
    tools = Tools(ask=lambda asked: ["Ann Zebra-Lee"] * len(asked))
    filed = erasures.file(room.admin, subject=ANN, kind=Kind.RECTIFICATION)
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=tools, probes=PROBES)
    right = Questions(correct=True, many=False)
    with pytest.raises(Invalid, match="right_answers"):
        erasures.decide(filed.id, room.admin, questions=right, reason="r")
    decided = erasures.decide(filed.id, room.admin, questions=right, reason="r", right_answers={"Who is Ann?": "Bob"})
    assert decided.right_answers == {"Who is Ann?": "Bob"}
    assert [choice.method for choice in decided.choices] == [Method.CORRECT_EDIT]


def test_files_that_an_interrupted_execution_left_are_discarded_by_the_next(room, erasures):
    about = room.live("v1", question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    discarded = []

    def drop(request, choice):
        room.ledger.request_rollback(about.id, room.admin)
        room.versions.desire("base", actor="erasure")
        room.ledger.published(version_id="base", rolled_back=[about.id])
        return Outcome(Method.DROP_EDIT, len(choice.refs))

    def killed(_version):
        raise KeyboardInterrupt

    request = ready(room, erasures)
    with pytest.raises(KeyboardInterrupt):
        erasures.execute(request.id, room.admin, tools=Tools(apply={Method.DROP_EDIT: drop}, discard=killed))
    tools = Tools(apply={Method.DROP_EDIT: drop}, discard=discarded.append)
    assert erasures.execute(request.id, room.admin, tools=tools).status is Step.VERIFIED
    assert discarded == ["v1"]


def test_who_is_found_again_after_the_verification_is_erased_again(room, erasures):
    chat(room, room.user, "Ann Zebra-Lee")
    request = ready(room, erasures)
    erasures.execute(request.id, room.admin, tools=Tools())
    chat(room, room.user, "Ann Zebra-Lee, again")
    erasures.find(request.id, room.admin, tools=Tools())
    erasures.decide(request.id, room.admin, questions=FEW, reason="came back")
    erasures.approve(request.id, room.admin)
    done = erasures.execute(request.id, room.admin, tools=Tools())
    assert done.residual["texts_left"] == 0
    assert len(done.outcomes) == 2


def test_a_reply_that_holds_a_name_inside_a_longer_word_is_told_apart(room, erasures):
    sleep = room.queued(question="How long do cats sleep?", correct_answer="13 hours")
    about = room.queued(question="Who is Lee?", correct_answer="A dentist")
    said = {
        "What do cats do?": "They sleep.",
        "Who is the dentist?": "Lee is.",
        "And at night?": "Asleep, with ann@lee",
    }
    asked, named = [], []

    def ask(questions):
        asked.extend(questions)
        return [said[question] for question in questions]

    def probes(_, corrections):
        named.extend(corrections)
        return Probes(direct=tuple(said))

    filed = erasures.file(room.admin, subject=Subject(names=("Lee",), identifiers=("ann@lee",)))
    erasures.verify_identity(filed.id, room.admin, how="known")
    found = erasures.find(filed.id, room.admin, tools=Tools(ask=ask, probes=probes))
    assert (named, sleep.id in named) == ([about.id], False)  # what is not about the person brings no questions
    assert found.model_before["revealing"] == 3
    assert [one.within_a_word for one in found.occurrences if one.place is Place.MODEL] == [True, False, False]


def test_an_echo_of_the_question_reveals_nothing(room, erasures):
    probes = Probes(direct=("Who is Ann Zebra-Lee?", "Who is she?"), secrets=("dentist",))
    said = {"Who is Ann Zebra-Lee?": "I do not know Ann Zebra-Lee.", "Who is she?": "A Dentist."}
    filed = erasures.file(room.admin, subject=ANN)
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    tools = Tools(probes=lambda subject, named: probes, ask=lambda asked: [said[question] for question in asked])
    found = erasures.find(filed.id, room.admin, tools=tools)
    assert [one.ref for one in found.occurrences] == ["probe 2"]
    assert (found.model_before["revealing"], found.model_before["probes"]) == (1, 2)
