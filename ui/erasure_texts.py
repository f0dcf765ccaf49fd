"""Every text of erasure requests, on the admin page and on the chat page; another language is another instance."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureTexts:
    """The words about erasing and putting right what is known of a person. Braces name what is filled in."""

    none: str = "No requests. People file their own on the chat page; file one here for somebody without an account."
    file: str = "File a request"
    file_text: str = "For somebody without an account, give their names as they may occur; for a user, the login name."
    names: str = "Names, one per line"
    identifiers: str = "Other traces, one per line"
    identifiers_help: str = "Addresses, phone numbers, user names: whatever identifies the person."
    account: str = "Login name, if they have an account"
    kind: str = "What is asked for?"
    kinds: tuple[tuple[str, str], ...] = (("erasure", "Erase it"), ("rectification", "Put it right"))
    law: str = "Under which law?"
    laws: tuple[tuple[str, str], ...] = (("gdpr", "GDPR (one month)"), ("pdpa", "PDPA (30 days)"))
    statement: str = "What the person says"
    filed: str = "The request is filed."
    nobody: str = "Nobody is named: give a name, another trace, or the login name."
    of_account: str = "the account {login}"
    account_holder: str = "an account holder"
    hidden: str = "(names not shown to this role)"
    back: str = "All requests"
    overdue: str = "overdue"
    requests: str = "Requests"
    columns: tuple[str, ...] = ("About", "Asked for", "Stands at", "Due", "")
    open: str = "Open"

    statuses: dict[str, str] = field(
        default_factory=lambda: {
            "received": "Received",
            "identity_verified": "Identity verified",
            "found": "Places found",
            "decided": "Method chosen",
            "approved": "Approved",
            "applied": "Carried out",
            "verified": "Verified",
            "closed": "Closed",
            "refused": "Refused",
        }
    )
    steps: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("Identity", ("received", "identity_verified")),
        ("Places found", ("found",)),
        ("Method", ("decided",)),
        ("Approval", ("approved",)),
        ("Execution", ("applied",)),
        ("Verification and certificate", ("verified", "closed")),
    )

    verify: str = "Identity verified"
    verify_text: str = "By what is it known that the request comes from the person, or from who may act for them?"
    verify_how: str = "How"
    find: str = "Find"
    find_again: str = "Find again"
    find_text: str = (
        "Chats, reports, edits, documents, files and caches are searched, and the model is asked. It takes minutes."
    )
    find_more: str = "More questions to ask the model, one per line"
    find_secrets: str = "Words that must not come back, one per line"
    find_started: str = "The search runs. It takes minutes; what it finds appears here."
    places: dict[str, str] = field(
        default_factory=lambda: {
            "text": "texts of chats and reports",
            "correction": "corrections",
            "edit": "edits of the weights",
            "document": "documents",
            "cache": "caches",
            "export": "files",
            "model": "replies of the model",
        }
    )
    within_a_word: str = "{what} (the name stands there only inside a longer word)"
    place_columns: tuple[str, ...] = ("Where", "What", "Reference")
    model_said: str = "{n} of {of} replies of the model reveal something"
    nothing_found: str = "Nothing was found."

    decide: str = "Choose the method"
    decide_text: str = "Three questions decide what is done with each place."
    correct: str = "Is there a right fact to put in the place of the wrong one?"
    many: str = "Is it so much that single edits will not do?"
    certainty: str = "How sure must it be?"
    yes_no: tuple[tuple[str, str], ...] = (("", "No"), ("yes", "Yes"))
    certainties: tuple[tuple[str, str], ...] = (
        ("reasonable", "Reasonably: edits of the weights may be taken out or overwritten"),
        ("highest", "As sure as can be: unlearning or training anew, outside Errata"),
    )
    reason: str = "Why so?"
    exceptions: str = "Exceptions, and on what ground (optional)"
    keep: str = "References that stay, one per line (optional)"
    right_answers: str = "Right answers, one per line: question = answer (only to put right)"
    no_answer: str = "“{line}” has no answer: write the question, an equals sign, and the answer."
    methods: dict[str, str] = field(
        default_factory=lambda: {
            "delete_text": "Delete texts",
            "delete_document": "Delete documents",
            "delete_file": "Delete files",
            "rebuild_cache": "Rebuild caches",
            "drop_edit": "Take edits out of the weights",
            "neutral_edit": "Overwrite what the model says with a neutral answer",
            "correct_edit": "Put right what the model says",
            "unlearn": "Unlearn, outside Errata",
            "retrain": "Train anew, outside Errata",
        }
    )
    method_columns: tuple[str, ...] = ("Method", "Places", "Why")

    approve: str = "Approve"
    approve_text: str = "What was chosen will be carried out. Deleted texts cannot come back."
    execute: str = "Carry out"
    execute_again: str = "Go on"
    execute_title: str = "Erase now?"
    execute_text: str = (
        "Texts, documents and files go for good; edits leave the weights by a new version. This cannot be undone."
    )
    execute_started: str = "It is being carried out."
    running: str = "Being carried out since {since}. Edits leave the weights by the usual way, which takes minutes."
    stopped: str = "It stopped: {why}"
    outcome_columns: tuple[str, ...] = ("Done", "How many", "What remains")
    figures: tuple[tuple[str, str], ...] = (
        ("texts_left", "Texts left that name the person"),
        ("texts_left_within_a_word", "Of these, only inside a longer word"),
        ("probes", "Questions asked of the model"),
        ("revealing", "Replies that reveal something"),
        ("share", "Share that reveals"),
        ("interval", "95 % interval"),
        ("neighbours", "Questions about other people"),
        ("neighbours_changed", "Of these, answers that changed"),
        ("neighbours_right", "Of these, answers known to be right before"),
        ("neighbours_still_right", "Of those, still right"),
        ("not_asked", "Questions that the model did not take"),
    )
    close: str = "Close and certify"
    close_text: str = "The certificate is written, and the key of this request's own texts is destroyed."
    told: str = "Has the person been told?"
    backups: str = "Backups made before hold the data until"
    certificate: str = "Download the certificate"
    refused: str = "Refused, because"
    refuse: str = "Refuse"
    refuse_title: str = "Refuse this request?"
    refuse_text: str = "The person reads the reason. A ground in law is needed."
    ground: str = "Ground"
    grounds: tuple[tuple[str, str], ...] = (
        ("gdpr-12-6", "Identity cannot be confirmed (GDPR 12(6))"),
        ("gdpr-12-5", "Manifestly unfounded or excessive (GDPR 12(5))"),
        ("gdpr-17-3-a", "Freedom of expression and information (GDPR 17(3)(a))"),
        ("gdpr-17-3-b", "Legal obligation (GDPR 17(3)(b))"),
        ("gdpr-17-3-e", "Legal claims (GDPR 17(3)(e))"),
    )
    done: str = "Recorded."

    # on the chat page
    mine: str = "Erase my data"
    mine_text: str = (
        "Your account, your chats and reports, and what the model says about you. An admin checks that it is you and "
        "decides within a month; what is deleted cannot come back. The certificate says what was done and what remains, "
        "for example in backups."
    )
    ask: str = "Ask for erasure"
    asked: str = "Your request is in. It is decided within a month."
    mine_statement: str = "Anything we should know? (optional)"
    due: str = "due {date}"


ERASURE = ErasureTexts()
