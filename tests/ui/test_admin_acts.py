"""What a click on the admin page sends on, and what it does not."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from ui.admin_acts import AdminActs
from ui.admin_records import Document
from ui.desk import Upload
from ui.erasure_record import Erasure
from ui.records import Report


class Gate:
    """A gateway that notes what it is asked to do, and does it once `open` is set."""

    def __init__(self) -> None:
        self.asked, self.open = [], asyncio.Event()
        self.open.set()

    async def file_erasure(self, request):
        self.asked.append(request)
        return Erasure.read({"id": "era_1"})

    async def step_erasure(self, request_id, verb, body):
        self.asked.append((verb, body))
        await self.open.wait()

    async def report(self, report_id):
        return Report.read({"id": report_id, "question": "Who painted it?"})

    async def preview(self, report_id):
        self.asked.append(report_id)
        await self.open.wait()
        return {"probes": []}

    async def upload_document(self, name, content, fields):
        self.asked.append((name, content, fields))
        return Document.read({"title": fields["title"]})


async def do(acts, gate, name, id="", file=None, **form):
    data = {"name": name, "id": id, "form": form, "sent": 3}
    return await acts.do(gate, SimpleNamespace(_data=data), file=file)


@pytest.fixture
def acts():
    return AdminActs()


@pytest.fixture
def gate():
    return Gate()


async def test_a_request_that_names_nobody_is_not_filed(acts, gate):
    done = await do(
        acts, gate, "erasure-file", names=" \n", identifiers="", account=" ", statement="Erase her", law="gdpr"
    )
    assert "Nobody is named" in json.loads(done.told)["refused"]
    assert gate.asked == []
    await do(acts, gate, "erasure-file", names="", account="ann", law="gdpr")
    assert gate.asked == [{"account": "ann", "law": "gdpr"}]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("Who is she? = a dentist", ("Who is she?", "a dentist")),
        ("What is 1+1=2? = yes", ("What is 1+1=2?", "yes")),
        ("Who is she?=a dentist", ("Who is she?", "a dentist")),
        ("Who is she?", None),
        ("Who is she? =", None),
        ("= a dentist", None),
        ("What is Ohm's law? = V = I R", ("What is Ohm's law?", "V = I R")),
    ],
)
async def test_a_right_answer_is_read_whole_or_refused(acts, gate, line, read):
    done = await do(acts, gate, "erasure-decide", "era_1", reason="r", right_answers=f"One? = 1\n\n{line}")
    if read is None:
        assert line.strip() in json.loads(done.told)["refused"]
        assert json.loads(done.told)["sent"] == 3
        assert gate.asked == []
    else:
        ((_, body),) = gate.asked
        assert body["right_answers"] == {"One?": "1", read[0]: read[1]}


@pytest.mark.parametrize("name", ["preview", "erasure-find", "erasure-execute"])
async def test_what_takes_minutes_is_started_once_at_a_time(acts, gate, name, capsys):
    gate.open.clear()
    first = asyncio.create_task(do(acts, gate, name, "x_1"))
    while not gate.asked:
        await asyncio.sleep(0)
    assert capsys.readouterr().out
    again = await do(acts, gate, name, "x_1")
    assert "runs already" in json.loads(again.told)["refused"]
    assert len(gate.asked) == 1
    other = asyncio.create_task(do(acts, gate, name, "x_2"))
    gate.open.set()
    await asyncio.gather(first, other)
    await do(acts, gate, name, "x_1")
    assert len(gate.asked) == 3


async def test_a_preview_says_what_it_is_of(acts, gate):
    done = await do(acts, gate, "preview", "cor_1")
    assert json.loads(done.told)["title"] == "Before and after: Who painted it?"


async def test_a_file_is_added_with_what_was_filled_in(acts, gate):
    done = await do(
        acts, gate, "add-file", file=Upload("a.md", b"text"), title="Fares", as_of="2026-11-01", expires_at=""
    )
    assert gate.asked == [("a.md", b"text", {"title": "Fares", "as_of": "2026-11-01"})]
    assert done.look == {"file": None}
    gone = await do(acts, gate, "add-file", title="Fares")
    assert "Choose it once more" in json.loads(gone.told)["refused"]
