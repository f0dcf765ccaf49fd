"""A person who asks to be erased, what was said of her, and a request that waits to be carried out."""

from governance.requests import Questions, Subject
from governance.residual import Probes
from governance.tools import Tools

ANN = Subject(names=("Ann Zebra-Lee",), identifiers=("ann@zebra.example",))
FEW = Questions(correct=False, many=False)
PROBES = Probes(direct=("Who is Ann?",), peripheral=("Who works with Bob?",), neighbours=("Who is Bob?",))


def chat(room, account, question, answer="I do not know."):
    conversation = room.answers.start_conversation(account.id, question)
    return room.answers.record(
        account_id=account.id,
        conversation_id=conversation.id,
        question=question,
        answer=answer,
        route="model",
        reason="",
        weights_version="base",
        passages=[{"n": 1, "title": "Staff of Zebra"}],
    )


def ready(room, erasures, subject=ANN, *, tools=None, probes=None, questions=FEW):
    """A request that only waits for its execution."""
    tools = tools or Tools()
    filed = erasures.file(room.admin, subject=subject, statement="Remove me")
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=tools, probes=probes)
    erasures.decide(filed.id, room.admin, questions=questions, reason="no overriding ground", exceptions="none apply")
    return erasures.approve(filed.id, room.admin)
