"""Every text that a person reads on the pages; another language is another instance of `Texts`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of the interface. Braces name what is filled in."""

    language: str = "en"
    product: str = "Errata"
    chat_title: str = "Errata"
    admin_title: str = "Errata · Admin"

    # shared
    close: str = "Close"
    cancel: str = "Cancel"
    copied: str = "Copied"
    not_copied: str = "Not copied: your browser did not allow it."
    save: str = "Save"
    just_now: str = "just now"
    ago: str = "{time} ago"
    ahead: str = "in {time}"
    days: str = "d"
    hours: str = "h"
    minutes: str = "min"
    theme: str = "Light or dark"
    keys: str = "Turn keys on or off"
    keys_on: str = "Keys are on."
    keys_off: str = "Keys are off."
    not_yet: str = "The report is still coming: try again."
    sign_out: str = "Sign out"
    signed_out: str = "Your session has ended. Sign in again to go on."
    sign_in: str = "Sign in"
    unreachable: str = "The server does not answer. Nothing was lost; try again in a moment."
    may_be_done: str = "The server did not answer in time. It may have been done: look before you repeat it."
    offline: str = "No connection. What you typed stays here; the page goes on when the connection is back."
    load_more: str = "Show more"
    reason: str = "Reason"
    nothing_found: str = "Nothing found."

    # chat
    new_chat: str = "New chat"
    search_chats: str = "Search chats"
    no_chats: str = "No chats yet."
    rename: str = "Rename"
    rename_title: str = "Rename this chat"
    title: str = "Title"
    delete: str = "Delete"
    delete_title: str = "Delete this chat?"
    delete_text: str = "“{title}” and its texts are removed from the server. Reports made from it stay."
    export: str = "Export"
    ask: str = "Ask anything"
    ask_label: str = "Your message"
    transcript: str = "Conversation"
    notice: str = "You are talking to an AI. It can be wrong: report what is, and it gets corrected."
    keys_hint: str = "Enter sends · Shift+Enter starts a line · Esc stops"
    welcome: str = "What would you like to know?"
    welcome_text: str = (
        "If an answer is wrong, choose Report below it and say what is right. "
        "A person checks it, and if you are right the answer changes for everyone."
    )
    examples: tuple[str, ...] = (
        "When was the Halden Bridge built?",
        "Explain a binary search in Python",
        "What can you tell me about Vienna?",
    )
    admin_page: str = "Admin page"
    chat_page: str = "Chat"
    earlier: str = "Show earlier messages"
    thinking: str = "Thinking…"
    stopped: str = "Cut short"
    limited: str = "Cut at the greatest length"
    broke_off: str = "The answer broke off. {why}"
    no_answer: str = "There is no answer. {why}"
    chat_is_gone: str = "This chat has been deleted. Ask again, and what you see here goes on in a new one."
    auditors_read: str = "Auditors read; they ask nothing and report nothing."
    retry: str = "Ask again"
    edit: str = "Edit question"
    copy: str = "Copy"
    report: str = "Report"
    edit_title: str = "Edit your question"
    ask_button: str = "Ask"

    # how an answer came about
    routes: dict[str, str] = field(
        default_factory=lambda: {"model": "Model", "retrieval": "Knowledge", "correction": "Correction"}
    )
    route_meaning: dict[str, str] = field(
        default_factory=lambda: {
            "model": "The model answered from its own weights.",
            "retrieval": "The answer rests on the passages below.",
            "correction": "An approved correction answered.",
        }
    )
    how: str = "How this was answered"
    weights: str = "weights {version}"
    weights_label: str = "Weights version"
    weights_changed: str = "{before}, then {after} (updated in mid-answer)"
    active_edits: str = "Edits active"
    why_route: str = "Why"
    read_as: str = "Understood as"
    by_correction: str = "Correction"
    turns_left_out: str = "Earlier turns left out"
    answer_id: str = "Answer"
    sources: str = "Sources"
    also_found: str = "Also found"
    as_of: str = "as of {date}"
    expires: str = "expires {date}"
    expired: str = "expired {date}"
    before_fix: str = "Before your report"
    after_fix: str = "Now"

    # reporting
    report_title: str = "Report a wrong answer"
    report_text: str = "A person reviews every report. You can follow yours under “My reports”."
    report_question: str = "Question"
    report_question_help: str = "Put it so that it can be understood without the rest of the chat."
    report_answer: str = "Answer you got"
    report_category: str = "What is wrong with it?"
    categories: tuple[tuple[str, str], ...] = (
        ("wrong", "It is wrong"),
        ("outdated", "It is out of date"),
        ("unsupported", "The source does not say so"),
        ("unsafe", "It is unsafe"),
        ("personal", "It is about a private person"),
    )
    right_answer: str = "What is the right answer?"
    right_answer_help: str = "As short as it can be: “1911”, not a paragraph."
    evidence: str = "Where does it say so? (optional)"
    evidence_help: str = (
        "A link or a quotation, one per line. It is read, and the reviewer sees whether it holds your answer."
    )
    comment: str = "Anything else? (optional)"
    send_report: str = "Send report"
    report_sent: str = "Thank you. Your report is in: follow it under “My reports”."
    already_reported: str = "Already reported. Yours adds weight to it:"
    already_fixed: str = "Already corrected. Ask again to see it:"
    my_reports: str = "My reports"
    newest_reports: str = "The newest {n} are shown."
    no_reports: str = "You have reported nothing yet. Choose “Report” below an answer that is wrong."
    you_said: str = "You said"
    fixed_try: str = "Fixed: try it"
    try_now: str = "Try it now"
    withdraw: str = "Withdraw"
    withdraw_title: str = "Withdraw this report?"
    withdrawn: str = "The report is withdrawn."
    appeal: str = "Appeal"
    appeal_title: str = "Ask for another look"
    appeal_sent: str = "Your appeal is in."
    add_evidence: str = "Add evidence"
    add_evidence_title: str = "Add evidence"
    evidence_sent: str = "Thank you, the evidence is in."
    newly_fixed: str = "A mistake that you reported is fixed. See “My reports”."
    steps: tuple[str, ...] = ("Reported", "In review", "Approved", "Fixed")
    statuses: dict[str, str] = field(
        default_factory=lambda: {
            "flagged": "Reported",
            "needs_evidence": "Evidence asked for",
            "queued": "In review",
            "approved": "Approved",
            "editing": "Being edited in",
            "live": "Fixed in the model",
            "in_knowledge": "Fixed by knowledge",
            "failed": "Edit failed",
            "rejected": "Rejected",
            "closed": "Closed",
            "rolled_back": "Undone",
            "superseded": "Superseded",
        }
    )


TEXTS = Texts()
