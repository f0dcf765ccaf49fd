"""What the chat page shows, as values: messages with their footers, the list of chats, dialogs."""

from collections.abc import Mapping, Sequence

from . import html
from .chat_state import ChatState
from .erasure_texts import ERASURE
from .html import Html, element, join
from .markdown import harmless
from .records import Conversation, Me, Passage, Provenance, Turn
from .texts import TEXTS


def sources_of(turn: Turn) -> int:
    return len(turn.provenance.passages) if turn.provenance else 0


def answer_text(turn: Turn) -> str:
    return harmless(turn.answer, answer_id=turn.answer_id, sources=sources_of(turn))


def footer(turn: Turn, *, last: bool, before: str = "") -> Html:
    """Everything below an answer: how it came about, and what can be done with it."""
    if turn.error:
        return element(
            "div",
            html.problem((TEXTS.broke_off if turn.answer else TEXTS.no_answer).format(why=turn.error)),
            html.button(TEXTS.retry, act="retry", look="er-plain") if last else "",
            class_="er-foot",
        )
    if turn.provenance is None and not turn.stopped:
        return element(
            "div", element("span", TEXTS.thinking if not turn.answer else "", class_="er-thinking"), class_="er-foot"
        )
    pieces, opened = [], html.EMPTY
    if before:
        pieces.append(compared(before, turn.answer))
    if turn.stopped:
        pieces.append(html.badge(TEXTS.stopped, "stopped"))
    if turn.limited:
        pieces.append(html.badge(TEXTS.limited, "stopped"))
    if turn.provenance:
        opener, opened = how_answered(turn, turn.provenance)
        pieces.append(opener)
    if turn.answer_id:
        pieces.append(html.button(html.icon("flag") + TEXTS.report, act="flag", id=turn.answer_id, look="er-plain"))
    pieces.append(html.button(html.icon("copy") + TEXTS.copy, act="copy", look="er-plain", data_text=turn.answer))
    if last:
        pieces.append(html.button(html.icon("again") + TEXTS.retry, act="retry", look="er-plain"))
        edit = html.dialog(
            TEXTS.edit_title,
            act="edit",
            ok=TEXTS.ask_button,
            fields=[html.field("question", TEXTS.ask_label, type="area", value=turn.question, required=True)],
        )
        pieces.append(html.dialog_button(html.icon("edit") + TEXTS.edit, edit, look="er-plain"))
    return element("div", *pieces, opened, class_="er-foot")


def compared(before: str, after: str) -> Html:
    sides = [(TEXTS.before_fix, before), (TEXTS.after_fix, after)]
    return element(
        "div", join([element("div", element("b", label), text) for label, text in sides]), class_="er-compare"
    )


def how_answered(turn: Turn, provenance: Provenance) -> tuple[Html, Html]:
    """The quiet badge, and the whole provenance that it opens."""
    route = provenance.route
    label = TEXTS.routes.get(route, route)
    weights = provenance.weights_version
    if provenance.weights_version_end and provenance.weights_version_end != weights:
        weights = TEXTS.weights_changed.format(before=weights, after=provenance.weights_version_end)
    opener = element(
        "button",
        html.badge(label, route),
        element("span", TEXTS.weights.format(version=html.short(provenance.weights_version)), class_="er-version"),
        type="button",
        class_="er-button er-plain er-opener",
        aria_label=f"{TEXTS.how}: {label}",
        aria_expanded="false",
        data_opens=f"how-{turn.answer_id}",
    )
    facts = html.pairs(
        [
            (TEXTS.how, TEXTS.route_meaning.get(route, "")),
            (TEXTS.read_as, provenance.read_as),
            (TEXTS.why_route, provenance.reason),
            (TEXTS.by_correction, provenance.correction_id),
            (TEXTS.weights_label, weights),
            (TEXTS.active_edits, str(provenance.active_edits)),
            (TEXTS.turns_left_out, str(provenance.turns_left_out or "")),
            (TEXTS.answer_id, turn.answer_id),
        ]
    )
    is_cited = [f"[{passage.n}]" in turn.answer for passage in provenance.passages]
    cited = [passage for passage, cites in zip(provenance.passages, is_cited, strict=True) if cites]
    others = [passage for passage, cites in zip(provenance.passages, is_cited, strict=True) if not cites]
    listed = sources(TEXTS.sources, turn.answer_id, cited) + sources(TEXTS.also_found, turn.answer_id, others)
    return opener, element("div", facts, listed, class_="er-how", id=f"how-{turn.answer_id}", hidden=True)


def sources(title: str, answer_id: str, passages: Sequence[Passage]) -> Html:
    if not passages:
        return html.EMPTY
    rows = [
        element(
            "li",
            element(
                "button",
                f"[{p.n}] {p.title or p.uri or p.id}",
                type="button",
                data_act="source",
                data_id=answer_id,
                data_n=p.n,
            ),
            " ",
            element("span", html.dates(p), class_="er-quiet"),
        )
        for p in passages
    ]
    return element("b", title) + element("ol", join(rows), class_="er-sources")


def source_dialog(passage: Passage) -> dict[str, object]:
    shown = element("p", html.dates(passage), class_="er-quiet") + element("blockquote", passage.text)
    if passage.uri:
        shown += element("p", html.link(passage.uri, passage.uri))
    return html.dialog(passage.title or TEXTS.sources, html=shown, side=True)


def conversation_list(
    conversations: Sequence[Conversation], *, current: str, searched: bool, more: bool, turn: int
) -> Html:
    """`turn` makes it differ from the list before: else a mark that the browser set by itself would stay."""
    if not conversations:
        return html.empty(TEXTS.nothing_found if searched else TEXTS.no_chats)
    rows = join([_conversation(c, current=c.id == current) for c in conversations])
    listed = element("ul", rows, class_="er-list", data_turn=turn)
    return listed + (html.button(TEXTS.load_more, act="chats", look="er-plain") if more else "")


def _conversation(conversation: Conversation, *, current: bool) -> Html:
    title = conversation.title or TEXTS.new_chat
    rename = html.dialog(
        TEXTS.rename_title,
        act="rename",
        id=conversation.id,
        ok=TEXTS.save,
        fields=[html.field("title", TEXTS.title, value=title, required=True)],
    )
    delete = html.dialog(
        TEXTS.delete_title,
        act="delete",
        id=conversation.id,
        ok=TEXTS.delete,
        danger=True,
        text=TEXTS.delete_text.format(title=title),
    )
    opener = element(
        "button",
        title,
        type="button",
        title=title,
        data_act="open",
        data_id=conversation.id,
        aria_current="true" if current else None,
    )
    return element("li", opener, _icon("edit", TEXTS.rename, title, rename), _icon("bin", TEXTS.delete, title, delete))


def _icon(sign: str, verb: str, title: str, spec: Mapping[str, object]) -> Html:
    return html.dialog_button(html.icon(sign), spec, look="er-icon er-plain", aria_label=f"{verb}: {title}", title=verb)


def account(me: Me | None, *, reports: int = 0, fixed: int = 0) -> Html:
    """The foot of the sidebar: own reports, the admin page for those who may see it, light or dark, sign out."""
    if me is None:
        return element("div", element("a", TEXTS.sign_in, href="/login", class_="er-line"), class_="er-account")
    count: Html | str = html.EMPTY
    if reports:
        count = html.badge(str(reports), "live" if fixed else "count")
    lines = [
        element("button", element("span", TEXTS.my_reports), count, type="button", class_="er-line", data_act="reports")
    ]
    if me.sees_admin_page:
        lines.append(element("a", TEXTS.admin_page, href="/admin/", class_="er-line"))
    if me.role != "auditor":
        lines.append(element("button", ERASURE.mine, type="button", class_="er-line", data_act="my-data"))
    lines.append(element("button", TEXTS.theme, type="button", class_="er-line", data_act="theme"))
    who = element("span", me.role if me.role != me.name else "", class_="er-quiet")
    sign_out = element("button", element("span", f"{TEXTS.sign_out} ({me.name})"), who, class_="er-line")
    lines.append(element("form", sign_out, method="post", action="/logout"))
    return element("div", join(lines), class_="er-account")


def top(state: ChatState, *, busy: bool = False) -> Html:
    """The head of a chat: its title, what is further up once no answer streams, and the way to save it."""
    if not state.turns:
        return welcome()
    export = html.button(html.icon("save") + TEXTS.export, act="export", look="er-plain")
    earlier = html.EMPTY
    if len(state.turns) > state.shown and not busy:
        earlier = html.button(TEXTS.earlier, act="earlier", look="er-plain")
    return element("div", element("h1", state.title), earlier, export, class_="er-top")


def welcome(*, may_ask: bool = True) -> Html:
    """The first thing in a new chat: what this is for, and three questions to begin with, for whom they are answered."""
    if not may_ask:
        return element("div", element("h1", TEXTS.product), element("p", TEXTS.auditors_read), class_="er-welcome")
    hints = [html.button(words, act="hint", look="er-hint", data_n=n) for n, words in enumerate(TEXTS.examples)]
    return element(
        "div",
        element("h1", TEXTS.welcome),
        element("p", TEXTS.welcome_text),
        element("div", *hints, class_="er-hints"),
        class_="er-welcome",
    )


def notice() -> Html:
    keys = element("span", TEXTS.keys_hint, class_="er-keys")
    return element("div", element("span", TEXTS.notice), " ", keys, class_="er-notice")
