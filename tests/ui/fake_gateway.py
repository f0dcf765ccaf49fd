"""A gateway in memory that answers in the shapes of the contract, so that the pages can be tried without a model."""

import asyncio
import hashlib
import itertools
import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

LOGIN = (
    "<!doctype html><html lang=en><title>Sign in</title><form method=post action=/login>"
    "<label>Name <input name=username></label><label>Password <input name=password type=password></label>"
    "<button>Sign in</button></form></html>"
)
PEOPLE = {"admin": "admin", "user": "user", "other": "user", "rhea": "reviewer", "otto": "auditor"}
ANSWERS = {
    "apple": "The CEO of Apple is Steve Jobs.",
    "price": "One espresso costs 3.20 euros in the canteen [1].",
    "code": "Use **this**:\n\n```python\nif a < b and b > c:\n    print('<b>hi</b>')\n```\n\nand $$e^{i\\pi} = -1$$",
    "xss": "<img src=x onerror=\"window.hacked='chat'\"> <script>window.hacked='chat'</script> ![p](http://evil.invalid/p)",
}


def now(days: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class World:
    """Everything the fake remembers."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.conversations: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.passages: dict[str, dict[str, Any]] = {}
        self.entries: list[bytes] = []
        self.forged: dict[int, bytes] = {}  # entries as a dishonest gateway would show them
        self.people = {name: {"id": f"acc_{name}", "name": name, "role": role, "disabled": False, "created": now(40)}
                       for name, role in PEOPLE.items()}  # fmt: skip
        self.versions = [{"id": "base", "created": now(30), "live_since": now(30), "base": "9f" * 32, "artefacts": [],
                          "corrections": [], "tensors_sha256": "", "summary": {}}]  # fmt: skip
        self.served = "base"
        self.pace_s = 0.02
        self.down = False
        self.hang_up_after: int | None = None
        self.generations_stopped = 0
        self.worker = {"state": "idle", "step": 0, "of": 0, "message": "", "correction_ids": [], "since": now()}
        self._numbers = itertools.count(1)

    def log(self, kind: str, **data: object) -> None:
        n = len(self.entries) + 1
        entry = {"n": n, "at": now(), "kind": kind, "data": data}
        self.entries.append(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode())

    def report(
        self, *, reporter: str = "user", question: str, answer: str, correct_answer: str, **extra: Any
    ) -> dict[str, Any]:
        identity = f"cor_{next(self._numbers):04d}{secrets.token_hex(6)}"
        row: dict[str, Any] = {
            "id": identity,
            "created": now(),
            "status": "flagged",
            "remedy": None,
            "reason": "",
            "reporter": f"person-{reporter}",
            "reporter_id": f"acc_{reporter}",
            "reporter_role": PEOPLE[reporter],
            "answer_id": None,
            "category": "wrong",
            "comment": "",
            "evidence": [],
            "triage": {},
            "approvals": [],
            "approvals_needed": 1,
            "risk_tier": "ordinary",
            "fallback": "knowledge",
            "priority": 1,
            "due": now(-7),
            "paraphrases": [],
            "probes": [],
            "conflicts": [],
            "duplicate_of": None,
            "report": {},
            "weights_version_before": None,
            "weights_version_after": None,
            "undo_requested": False,
            "moves": [],
            "claim": {
                "question": question,
                "canonical_question": question,
                "subject": "",
                "answer_old": answer,
                "correct_answer": correct_answer,
            },
        }
        row |= extra
        self.reports[identity] = row
        self.log("correction.flagged", correction=identity)
        return row

    def move(self, row: dict[str, Any], to: str, actor: str, role: str, reason: str = "") -> None:
        row["moves"].append(
            {"from": row["status"], "to": to, "actor": actor, "role": role, "at": now(), "reason": reason}
        )
        row["status"] = to
        self.log(f"correction.{to}", correction=row["id"])

    def triage(self, row: dict[str, Any]) -> None:
        """What the triage loop would do a moment later."""
        changing = any(word in row["claim"]["question"].lower() for word in ("price", "cost", "today", "weather"))
        row["remedy"] = "knowledge" if changing else "weights"
        row["reason"] = (
            "The answer changes often." if changing else "The model repeats the wrong answer in 5 of 6 samples."
        )
        row["triage"] = {
            "freshness": {
                "evergreen": not changing,
                "probability": 0.07 if changing else 0.93,
                "confident": True,
                "horizon": "A-Month" if changing else "Many-Years",
            },
            "persistence": {"asked": 6, "wrong": 5, "repeated": 4, "share": 0.83},
            "pull_back": {"asked": 1, "wrong": 0},
            "personal_data": [],
            "subject_candidates": [],
        }
        words = [word.strip("?.,") for word in row["claim"]["question"].split()[1:]]
        row["claim"]["subject"] = next(
            (word for word in reversed(words) if word[:1].isupper()), words[-1] if words else ""
        )
        row["paraphrases"] = [f"Tell me: {row['claim']['question']}"]
        row["probes"] = [f"Do you know {row['claim']['subject']}?"]
        self.move(row, "queued", "triage", "system", row["reason"])

    def publish(self, row: dict[str, Any]) -> None:
        """What worker and publisher would do: a new version with one more edit."""
        live = [r["id"] for r in self.reports.values() if r["status"] == "live"] + [row["id"]]
        version = hashlib.sha256("".join(sorted(live)).encode()).hexdigest()[:16]
        summary = {
            "reliability": 1.0,
            "generalisation": 0.9,
            "locality": 0.97,
            "perplexity": 18.4,
            "swap_pause_s": 0.12,
            "edits": len(live),
        }
        self.versions.append({"id": version, "created": now(), "live_since": now(), "base": "9f" * 32, "artefacts": live,
                              "corrections": live, "tensors_sha256": "ab" * 32, "summary": summary})  # fmt: skip
        row |= {
            "weights_version_before": self.served,
            "weights_version_after": version,
            "report": {"direct": 1.0, "paraphrase": 0.9, "neighbours_kept": 1.0},
        }
        self.move(row, "editing", "worker", "system")
        self.move(row, "live", "publisher", "system")
        self.served = version


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def tree(hashes: list[bytes]) -> bytes:
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(hashes[:k]) + tree(hashes[k:])).digest()


def path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) <= 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if index < k:
        return [*path(index, hashes[:k]), tree(hashes[k:])]
    return [*path(index - k, hashes[k:]), tree(hashes[:k])]


def create_app(world: World) -> FastAPI:
    app = FastAPI()
    app.state.world = world

    def person(request: Request) -> dict[str, Any]:
        name = world.sessions.get(request.cookies.get("errata_session", ""))
        if name is None:
            raise Refused(401, "Sign in first.")
        return world.people[name]

    def needs(request: Request, *roles: str) -> dict[str, Any]:
        who = person(request)
        if who["role"] not in roles:
            raise Refused(403, f"The role {who['role']!r} may not do this.")
        return who

    reviewer, admin, reader = ("reviewer", "admin"), ("admin",), ("auditor", "reviewer", "admin")

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        body = {"error": {"message": error.message, "type": "refused", "param": None, "code": None}}
        return JSONResponse(body, status_code=error.status)

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        where = request.url.path
        name = world.sessions.get(request.cookies.get("errata_session", ""))
        if not where.startswith(("/login", "/v1", "/health", "/ready", "/version")):
            if name is None:
                return RedirectResponse("/login", 303)
            if where.startswith("/admin") and world.people[name]["role"] == "user":
                return JSONResponse({"error": {"message": "Not found."}}, status_code=404)
        if request.method not in ("GET", "HEAD") and name and where.startswith("/v1"):
            origin = request.headers.get("origin", "")
            if origin != str(request.base_url).rstrip("/"):
                return JSONResponse({"error": {"message": f"Wrong origin {origin!r}."}}, status_code=403)
        return await call_next(request)

    # signing in

    @app.get("/login")
    async def login_page() -> Response:
        return HTMLResponse(LOGIN)

    @app.post("/login")
    async def login(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        name = form.get("username", [""])[0]
        if name not in world.people:
            return HTMLResponse(LOGIN, status_code=401)
        token = secrets.token_hex(16)
        world.sessions[token] = name
        response = RedirectResponse("/", 303)
        response.set_cookie("errata_session", token, httponly=True, samesite="strict")
        return response

    @app.post("/logout")
    async def logout(request: Request) -> Response:
        world.sessions.pop(request.cookies.get("errata_session", ""), None)
        return RedirectResponse("/login", 303)

    @app.get("/v1/me")
    async def me(request: Request) -> Any:
        return person(request)

    # chat

    def answer_for(question: str) -> tuple[str, str, str, list[dict[str, Any]]]:
        for row in world.reports.values():
            if row["claim"]["canonical_question"].strip("? ").lower() == question.strip("? ").lower():
                if row["status"] in ("approved", "editing", "in_knowledge"):
                    return (
                        f"{row['claim']['correct_answer']}.",
                        "correction",
                        "An approved correction answers this question.",
                        [],
                    )
                if row["status"] == "live":
                    return (
                        f"It is {row['claim']['correct_answer']}.",
                        "model",
                        "Nothing in the knowledge layer answers this.",
                        [],
                    )
        if "cost" in question.lower() and world.passages:
            found = [p | {"n": n} for n, p in enumerate(list(world.passages.values())[:2], start=1)]
            return ANSWERS["price"], "retrieval", "The answer changes often, and a passage answers it.", found
        for word, text in ANSWERS.items():
            if word in question.lower():
                return text, "model", "Nothing in the knowledge layer answers this.", []
        return f"You said: {question}", "model", "Nothing in the knowledge layer answers this.", []

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Any:
        who = person(request)
        if world.down:
            raise Refused(503, "The engine is starting or down; try again in a moment.")
        body = await request.json()
        question = body["messages"][-1]["content"]
        text, route, reason, passages = answer_for(question)
        answer_id = f"ans_{secrets.token_hex(8)}"
        conversation_id = body.get("errata_conversation") or f"con_{secrets.token_hex(8)}"
        conversation = world.conversations.setdefault(
            conversation_id,
            {
                "id": conversation_id,
                "owner": who["name"],
                "title": question[:60],
                "created": now(),
                "updated": now(),
                "turns": [],
            },
        )
        errata = {
            "route": route,
            "reason": reason,
            "weights_version": world.served,
            "active_edits": 0 if world.served == "base" else 1,
            "passages": passages,
            "conversation_id": conversation_id,
        }
        turn = {
            "owner": who["name"],
            "answer_id": answer_id,
            "question": question,
            "answer": "",
            "created": now(),
            "errata": errata,
        }
        world.answers[answer_id] = turn
        conversation["turns"] = [t for t in conversation["turns"] if t["answer_id"] != body.get("errata_replaces")] + [
            turn
        ]
        conversation["updated"] = now()

        async def chunks() -> AsyncIterator[str]:
            def chunk(delta: dict[str, Any], **extra: Any) -> str:
                return {
                    "id": answer_id,
                    "object": "chat.completion.chunk",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": None} | extra],
                }

            pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
            if "long" in question:
                pieces = [f"word{n} " for n in range(2000)]
            finished = False
            try:
                for n, piece in enumerate(pieces):
                    if world.hang_up_after is not None and n >= world.hang_up_after:
                        raise ConnectionResetError("the line was cut")
                    turn["answer"] += piece
                    yield f"data: {json.dumps(chunk({'content': piece}))}\n\n"
                    await asyncio.sleep(world.pace_s)
                last = chunk({}, finish_reason="stop")
                last["errata"] = errata  # type: ignore[index]
                yield f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n"
                finished = True
            finally:
                if not finished:
                    world.generations_stopped += 1

        return StreamingResponse(chunks(), media_type="text/event-stream")

    def own(request: Request, conversation_id: str) -> dict[str, Any]:
        found = world.conversations.get(conversation_id)
        if found is None or found["owner"] != person(request)["name"]:
            raise Refused(404, "No such conversation.")
        return found

    @app.get("/v1/conversations")
    async def conversations(request: Request, search: str = "", limit: int = 50) -> Any:
        who = person(request)["name"]
        rows = [
            c for c in world.conversations.values() if c["owner"] == who and search.lower() in json.dumps(c).lower()
        ]
        rows.sort(key=lambda c: c["updated"], reverse=True)
        return {
            "data": [{k: c[k] for k in ("id", "title", "created", "updated")} for c in rows[:limit]],
            "next_cursor": None,
        }

    @app.get("/v1/conversations/{conversation_id}")
    async def conversation(request: Request, conversation_id: str) -> Any:
        return own(request, conversation_id)

    @app.patch("/v1/conversations/{conversation_id}")
    async def rename(request: Request, conversation_id: str) -> Any:
        found = own(request, conversation_id)
        found["title"] = (await request.json())["title"]
        return found

    @app.delete("/v1/conversations/{conversation_id}")
    async def delete(request: Request, conversation_id: str) -> Any:
        own(request, conversation_id)
        del world.conversations[conversation_id]
        return Response(status_code=204)

    @app.get("/v1/answers/{answer_id}")
    async def answer(request: Request, answer_id: str) -> Any:
        found = world.answers.get(answer_id)
        if found is None or found["owner"] != person(request)["name"]:
            raise Refused(404, "No such answer.")
        return found

    @app.get("/v1/passages/{passage_id}")
    async def passage(request: Request, passage_id: str) -> Any:
        person(request)
        if passage_id not in world.passages:
            raise Refused(404, "No such passage.")
        return world.passages[passage_id]

    # corrections

    @app.post("/v1/corrections", status_code=201)
    async def flag(request: Request) -> Any:
        who = person(request)
        body = await request.json()
        if not body.get("correct_answer", "").strip():
            raise Refused(422, "correct_answer is empty: say what would have been right.")
        source = world.answers.get(body.get("answer_id") or "", {})
        row = world.report(
            reporter=who["name"],
            question=body.get("question") or source.get("question", ""),
            answer=body.get("answer") or source.get("answer", ""),
            correct_answer=body["correct_answer"],
            answer_id=body.get("answer_id"),
            evidence=body.get("evidence", []),
            category=body.get("category", "wrong"),
            comment=body.get("comment", ""),
        )
        world.triage(row)
        return row

    @app.get("/v1/corrections/similar")
    async def similar(request: Request, question: str) -> Any:
        person(request)
        rows = [
            r
            for r in world.reports.values()
            if r["claim"]["question"].strip("? ").lower() == question.strip("? ").lower()
        ]
        return {"data": [{"id": r["id"], "status": r["status"], "question": r["claim"]["question"]} for r in rows]}

    @app.get("/v1/corrections/counts")
    async def counts(request: Request) -> Any:
        person(request)
        found: dict[str, int] = {}
        for row in world.reports.values():
            found[row["status"]] = found.get(row["status"], 0) + 1
        return found

    @app.get("/v1/corrections")
    async def reports(
        request: Request,
        status: str = "",
        mine: bool = False,
        search: str = "",
        sort: str = "",
        limit: int = 50,
        cursor: str = "",
    ) -> Any:
        who = person(request)
        rows = list(world.reports.values())
        if mine or who["role"] == "user":
            rows = [r for r in rows if r["reporter_id"] == who["id"]]
        rows = [
            r
            for r in rows
            if (not status or r["status"] in status.split(",")) and search.lower() in json.dumps(r).lower()
        ]
        if sort == "priority":
            rows.sort(key=lambda r: -r["priority"])
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(rows) else None
        return {"data": rows[start : start + limit], "next_cursor": following}

    def seen(request: Request, report_id: str) -> dict[str, Any]:
        who, found = person(request), world.reports.get(report_id)
        if found is None or (who["role"] == "user" and found["reporter_id"] != who["id"]):
            raise Refused(404, "No such report.")
        return found

    @app.get("/v1/corrections/{report_id}")
    async def report(request: Request, report_id: str) -> Any:
        return seen(request, report_id)

    @app.patch("/v1/corrections/{report_id}")
    async def revise(request: Request, report_id: str) -> Any:
        needs(request, *reviewer)
        row, changes = seen(request, report_id), await request.json()
        for key in ("canonical_question", "subject", "correct_answer"):
            row["claim"][key] = changes.get(key, row["claim"][key])
        row |= {k: changes[k] for k in ("paraphrases", "probes") if k in changes}
        return row

    @app.post("/v1/corrections/{report_id}/{verb}")
    async def decide(request: Request, report_id: str, verb: str) -> Any:
        row, body, who = seen(request, report_id), await request.json(), person(request)
        status, reason = row["status"], body.get("reason", "")
        allowed = {
            "approve": ("queued",),
            "reject": ("flagged", "queued"),
            "reroute": ("queued",),
            "ask-evidence": ("flagged", "queued"),
            "rollback": ("live", "in_knowledge"),
            "preview": ("queued",),
            "withdraw": ("flagged", "queued", "needs_evidence"),
            "evidence": ("needs_evidence",),
            "appeal": ("rejected",),
        }
        if verb not in allowed:
            raise Refused(404, "No such verb.")
        if status not in allowed[verb]:
            raise Refused(409, f"{verb} is not allowed from {status!r}.")
        if verb in ("approve", "rollback"):
            needs(request, *admin)
        if verb in ("reject", "reroute", "ask-evidence", "preview"):
            needs(request, *reviewer)
        if verb == "approve":
            if row["reporter_id"] == who["id"]:
                raise Refused(403, "The reporter of a correction cannot approve it.")
            row["approvals"].append({"actor": who["name"], "at": now(), "reason": reason})
            row["fallback"] = body.get("fallback", "knowledge")
            if len(row["approvals"]) >= row["approvals_needed"]:
                world.move(row, "approved", who["name"], who["role"], reason)
                if row["remedy"] == "knowledge":
                    world.move(row, "in_knowledge", "gateway", "system")
                else:
                    world.worker = {
                        "state": "solving",
                        "step": 2,
                        "of": 5,
                        "message": "solve",
                        "correction_ids": [row["id"]],
                        "since": now(),
                    }
        if verb == "reroute":
            if row["triage"].get("freshness", {}).get("evergreen") is False and body["remedy"] == "weights":
                raise Refused(409, "A fact that changes is never edited into weights.")
            row["remedy"] = body["remedy"]
        if verb == "rollback":
            world.move(row, "rolled_back", who["name"], who["role"], reason)
            world.served = "base"
        target = {
            "reject": "rejected",
            "ask-evidence": "needs_evidence",
            "withdraw": "closed",
            "evidence": "flagged",
            "appeal": "flagged",
        }.get(verb)
        if target:
            world.move(row, target, who["name"], who["role"], reason)
        if verb == "preview":
            await asyncio.sleep(0.2)
            old, new = row["claim"]["answer_old"], f"It is {row['claim']['correct_answer']}."
            return {
                "probes": [
                    {
                        "kind": "direct",
                        "question": row["claim"]["canonical_question"],
                        "before": old,
                        "after": new,
                        "ok": True,
                    },
                    {"kind": "paraphrase", "question": row["paraphrases"][0], "before": old, "after": new, "ok": True},
                    {
                        "kind": "neighbour",
                        "question": "Who is the CEO of Microsoft?",
                        "before": "Satya Nadella.",
                        "after": "Satya Nadella.",
                        "ok": True,
                    },
                    {
                        "kind": "unrelated",
                        "question": "What is the capital of France?",
                        "before": "Paris.",
                        "after": "Paris.",
                        "ok": True,
                    },
                ],
                "seconds": 0.2,
            }
        return JSONResponse(row, status_code=202 if verb == "rollback" else 200)

    # versions, worker

    @app.get("/v1/versions")
    async def versions(request: Request) -> Any:
        needs(request, *reader)
        return {"data": world.versions}

    @app.get("/v1/versions/current")
    async def current(request: Request) -> Any:
        person(request)
        return next(v for v in world.versions if v["id"] == world.served)

    @app.post("/v1/versions/{version_id}/restore", status_code=202)
    async def restore(request: Request, version_id: str) -> Any:
        needs(request, *admin)
        world.served = version_id
        world.log("version.restored", version=version_id)
        return {"id": version_id}

    @app.get("/v1/worker")
    async def worker(request: Request) -> Any:
        needs(request, *reader)
        return world.worker

    # knowledge

    @app.get("/v1/knowledge/documents")
    async def documents(request: Request) -> Any:
        needs(request, *reader)
        return {"data": list(world.documents.values())}

    @app.post("/v1/knowledge/documents", status_code=201)
    async def add(request: Request) -> Any:
        needs(request, *admin)
        if request.headers["content-type"].startswith("multipart"):
            form = await request.form()
            upload = form["file"]
            body = {
                "title": form.get("title") or upload.filename,
                "text": (await upload.read()).decode(),
                **{k: form.get(k) for k in ("as_of", "expires_at")},
            }
        else:
            body = await request.json()
        return add_document(world, **{k: body.get(k) or "" for k in ("title", "text", "uri", "as_of", "expires_at")})

    @app.delete("/v1/knowledge/documents/{document_id}")
    async def remove(request: Request, document_id: str) -> Any:
        needs(request, *admin)
        del world.documents[document_id]
        return Response(status_code=204)

    @app.post("/v1/knowledge/search")
    async def search(request: Request) -> Any:
        needs(request, *reader)
        body = await request.json()
        words = set(body["query"].lower().split())
        rows = [
            p | {"score": len(words & set(p["text"].lower().split())) / max(len(words), 1)}
            for p in world.passages.values()
        ]
        return {"data": sorted(rows, key=lambda p: -p["score"])[: body["k"]]}

    @app.get("/v1/router/explain")
    async def explain(request: Request, question: str) -> Any:
        person(request)
        _, route, reason, _ = answer_for(question)
        return {
            "route": route,
            "reason": reason,
            "freshness": {"evergreen": True, "probability": 0.9},
            "candidates": [],
        }

    # log

    @app.get("/v1/audit/entries")
    async def entries(request: Request, since: int = 0, limit: int = 50) -> Any:
        needs(request, *reader)
        return {
            "data": [
                {"n": n + 1, "entry": json.loads(world.forged.get(n, e)), "leaf_hash": leaf(e).hex()}
                for n, e in list(enumerate(world.entries))[since : since + limit]
            ]
        }

    @app.get("/v1/audit/checkpoint")
    async def checkpoint(request: Request) -> Any:
        import base64

        needs(request, *reader)
        root = tree([leaf(e) for e in world.entries])
        return Response(
            f"errata.test/log\n{len(world.entries)}\n{base64.b64encode(root).decode()}\n\n— errata.test/log AAAA\n",
            media_type="text/plain",
        )

    @app.get("/v1/audit/proof")
    async def proof(request: Request, entry: int, size: int) -> Any:
        needs(request, *reader)
        hashes = [leaf(e) for e in world.entries[:size]]
        return {
            "entry": entry,
            "size": size,
            "leaf_hash": hashes[entry - 1].hex(),
            "root": tree(hashes).hex(),
            "hashes": [h.hex() for h in path(entry - 1, hashes)],
        }

    # people, health

    @app.get("/v1/people")
    async def people(request: Request) -> Any:
        needs(request, *reader)
        return {"data": list(world.people.values())}

    @app.post("/v1/people", status_code=201)
    async def add_person(request: Request) -> Any:
        needs(request, *admin)
        body = await request.json()
        world.people[body["name"]] = {
            "id": f"acc_{body['name']}",
            "name": body["name"],
            "role": body["role"],
            "disabled": False,
            "created": now(),
        }
        return world.people[body["name"]] | {
            "password": "pw-" + secrets.token_hex(6),
            "key": "ek-" + secrets.token_hex(16),
        }

    @app.post("/v1/people/{name}/{verb}")
    async def change_person(request: Request, name: str, verb: str) -> Any:
        needs(request, *admin)
        if verb == "disable":
            world.people[name]["disabled"] = True
            return world.people[name]
        return world.people[name] | {"password": "pw-" + secrets.token_hex(6), "key": "ek-" + secrets.token_hex(16)}

    @app.get("/ready")
    async def ready() -> Any:
        parts = {"database": "ok", "engine": "down" if world.down else "ok", "worker": "ok", "knowledge": "ok"}
        return JSONResponse(
            {"status": "down" if world.down else "ready", "parts": parts}, status_code=503 if world.down else 200
        )

    @app.get("/version")
    async def version() -> Any:
        return {"errata": "0.1.0", "weights_version": world.served, "model": "scripted"}

    return app


def add_document(
    world: World, *, title: str, text: str, uri: str = "", as_of: str = "", expires_at: str = ""
) -> dict[str, Any]:
    identity, passage = f"doc_{secrets.token_hex(6)}", f"psg_{secrets.token_hex(6)}"
    world.documents[identity] = {"id": identity, "title": title, "uri": uri, "kind": "text", "as_of": as_of or now()[:10],
                                 "expires_at": expires_at, "created": now(), "passages": 1}  # fmt: skip
    world.passages[passage] = {
        "id": passage,
        "document_id": identity,
        "title": title,
        "uri": uri,
        "text": text,
        "as_of": as_of or now()[:10],
        "expires_at": expires_at,
        "score": 0.83,
        "expired": False,
    }
    world.log("document.added", document=identity)
    return world.documents[identity]


def furnished() -> World:
    """A world with something in every corner, for screenshots and most tests."""
    world = World()
    for n, (reworded, kept, perplexity, pause) in enumerate(
        [(0.86, 0.99, 18.1, 0.11), (0.91, 0.98, 18.2, 0.14), (0.88, 0.98, 18.3, 0.12)]
    ):
        figures = {
            "reliability": 1.0,
            "generalisation": reworded,
            "locality": kept,
            "perplexity": perplexity,
            "swap_pause_s": pause,
        }
        world.versions.append(
            {
                "id": f"{n + 1:x}" * 16,
                "created": now(20 - 5 * n),
                "live_since": now(20 - 5 * n),
                "base": "9f" * 32,
                "artefacts": [f"edit{k}" for k in range(n + 1)],
                "corrections": [f"cor_{k}" for k in range(n + 1)],
                "tensors_sha256": f"{n + 1:x}" * 64,
                "summary": figures,
            }
        )
    add_document(
        world,
        title="Canteen prices",
        text="One espresso costs 3.20 euros. Lunch costs 7.50 euros.",
        uri="https://example.org/canteen",
        as_of="2026-11-20",
        expires_at="2027-01-31",
    )
    add_document(
        world,
        title="Opening hours",
        text="The library opens at 8 and closes at 22 on working days.",
        as_of="2026-10-01",
    )
    asked = [
        ("Who is the CEO of Apple?", "The CEO of Apple is Steve Jobs.", "Tim Cook", "queued"),
        ("Who painted the Mona Lisa?", "It is attributed to Artemisia Gentileschi.", "Leonardo da Vinci", "live"),
        ("What does an espresso cost today?", "An espresso costs 2 euros.", "3.20 euros", "queued"),
        ("When was the Eiffel Tower finished?", "In 1925.", "1889", "approved"),
        ("Which river flows through Vienna?", "The Rhine.", "The Danube", "rejected"),
        ("Who wrote Middlemarch?", "Jane Austen wrote Middlemarch.", "George Eliot", "queued"),
    ]
    for n, (question, wrong, right, status) in enumerate(asked):
        row = world.report(
            question=question, answer=wrong, correct_answer=right, priority=3 - n % 3, created=now(n / 3)
        )
        world.triage(row)
        if status == "rejected":
            world.move(row, "rejected", "rhea", "reviewer", "The source does not say so.")
        if status in ("approved", "live"):
            row["approvals"].append({"actor": "admin", "at": now(), "reason": "Checked."})
            world.move(row, "approved", "admin", "admin", "Checked.")
        if status == "live":
            world.publish(row)
    return world
