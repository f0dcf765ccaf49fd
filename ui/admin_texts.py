"""Every text of the admin page; another language is another instance of `AdminTexts`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminTexts:
    """The words of the admin page. Braces name what is filled in."""

    tabs: tuple[str, ...] = ("Queue", "Live edits", "Versions", "Knowledge", "Erasure", "Log", "People", "Health")
    waiting: str = "{n} to decide"
    serving: str = "serving {version}"
    engine_ok: str = "Engine answers"
    engine_down: str = "Not ready"
    keys: tuple[tuple[str, str], ...] = (
        ("", "j and k move"),
        ("admin", "a approves"),
        ("reviewer", "r rejects"),
        ("reviewer", "e edits"),
    )  # and who may

    filter_by: str = "Status"
    filters: tuple[tuple[str, str], ...] = (
        ("queued", "To decide"),
        ("flagged", "New"),
        ("needs_evidence", "Evidence asked"),
        ("approved", "Approved"),
        ("editing", "Being edited in"),
        ("live", "In the weights"),
        ("in_knowledge", "In knowledge"),
        ("failed", "Failed"),
        ("rejected", "Rejected"),
        ("rolled_back", "Undone"),
        ("superseded", "Superseded"),
        ("closed", "Closed"),
        ("", "All"),
    )
    search_reports: str = "Search reports"
    sort: str = "Order"
    sorts: tuple[tuple[str, str], ...] = (("priority", "Priority"), ("due", "Due date"), ("created", "Newest"))
    queue_empty: str = "Nothing here. New reports arrive by themselves."
    choose: str = "Choose a report to see what is known about it."
    hidden: str = "(text not shown to this role)"

    claim: str = "The claim"
    asked: str = "Asked"
    canonical_question: str = "Question to correct"
    answered_by: str = "Answered by"
    subject: str = "Subject"
    answer_given: str = "Answer given"
    right_answer: str = "Right answer"
    no_subject: str = "none found: add one before an edit of the weights"
    from_reporter: str = "From the reporter"
    category: str = "Category"
    comment: str = "Comment"
    evidence: str = "Evidence"
    no_evidence: str = "none given"
    evidence_holds: str = "holds the answer"
    evidence_lacks: str = "does not hold the answer"
    evidence_unread: str = "not read: {why}"
    triage: str = "What triage found"
    proposal: str = "Proposal"
    remedies: dict[str, str] = field(
        default_factory=lambda: {
            "weights": "Edit the weights",
            "knowledge": "Answer from knowledge",
            "": "Not triaged yet",
        }
    )
    freshness: str = "Freshness"
    evergreen: str = "Does not change with time ({probability} sure)"
    changing: str = "Changes with time, within {horizon} ({probability} sure)"
    unsure: str = "uncertain, please check"
    persistence: str = "Persistence"
    persistence_said: str = "{wrong} of {asked} replies lack the right answer"
    repeated_said: str = "{repeated} repeat the reported claim"
    pull_back: str = "Pull-back"
    pull_back_said: str = "With the right answer in the prompt, {wrong} of {asked} replies are still wrong"
    personal_data: str = "Personal data"
    conflicts: str = "Contradicts"
    duplicate_of: str = "Repeats"
    superseded_by: str = "Superseded by"
    open_report: str = "Open report {id}"
    wordings: dict[str, str] = field(
        default_factory=lambda: {
            "paraphrases": "Wordings to learn",
            "probes": "Questions to verify with",
            "neighbours": "Questions about others whose answers must stay",
        }
    )
    generated: str = "Written by rule; Edit replaces them."
    approvals: str = "Approvals"
    approvals_said: str = "{given} of {needed}"
    history: str = "History"
    verification: str = "Verification"
    verified: tuple[tuple[str, str], ...] = (
        ("direct", "Asked directly"),
        ("probes", "In other words"),
        ("neighbours", "Neighbours kept"),
        ("subject", "Other questions about it"),
    )
    verified_said: str = "{passed} of {of}"
    verified_reply: str = "It now says"
    verified_failed: str = "Why it failed"
    review_due: str = "To be looked at again"
    versions_said: str = "{before} → {after}"
    weights_version: str = "Weights"
    risk: str = "Risk"
    due: str = "due {time}"
    printed: str = "Print"
    undo_pending: str = "being undone"

    approve: str = "Approve"
    approve_weights: str = "Change the model for everyone?"
    approve_knowledge: str = "Answer this for everyone?"
    approve_weights_text: str = (
        "“{question}” will be answered “{answer}” at once by a card, and after verification by the edited weights. "
        "It can be undone exactly."
    )
    approve_knowledge_text: str = "“{question}” will be answered “{answer}” from knowledge. It can be undone."
    approve_reason: str = "Why is this right?"
    fallback: str = "If the edit fails verification"
    fallbacks: tuple[tuple[str, str], ...] = (
        ("knowledge", "keep answering by the card"),
        ("none", "withdraw the card too: the model answers as before"),
    )
    approval_barred: str = "You cannot approve this: {why}."
    approved: str = "Approved."
    approved_waits: str = "Your approval is recorded; another one is needed."
    reject: str = "Reject"
    reject_title: str = "Reject this report?"
    reject_help: str = "The reporter reads this."
    rejected: str = "Rejected."
    reroute_knowledge: str = "Use knowledge instead"
    reroute_weights: str = "Edit weights instead"
    reroute_title: str = "Change the remedy?"
    rerouted: str = "The remedy is changed."
    requeue: str = "Back to the queue"
    requeue_title: str = "Take it back to the queue?"
    requeue_text: str = "“{question}” needs a new approval. If its card answers, it stops."
    requeued: str = "It is in the queue again."
    ask_evidence: str = "Ask for evidence"
    ask_evidence_title: str = "What should the reporter show?"
    evidence_asked: str = "The reporter is asked."
    edit: str = "Edit"
    edit_title: str = "Edit the claim"
    one_per_line: str = "One per line."
    saved: str = "Saved."
    preview: str = "Preview"
    preview_title: str = "Before and after: {question}"
    preview_started: str = "Solving in a sandbox. It takes a minute or two; the result opens here."
    runs_already: str = "This runs already. Its result comes where it was asked for first."
    preview_text: str = "Solved in a sandbox: nothing that is served has changed."
    probes: str = "Replies before and after"
    probe_columns: tuple[str, ...] = ("Kind", "Question", "Before", "After", "")
    probe_kinds: dict[str, str] = field(
        default_factory=lambda: {
            "direct": "Direct",
            "paraphrase": "Reworded",
            "neighbour": "Neighbour",
            "same subject": "Same subject",
            "unrelated": "Unrelated",
        }
    )
    good: str = "as wanted"
    bad: str = "not as wanted"

    live_columns: tuple[str, ...] = ("Question", "Now answers", "Where", "Since", "")
    in_knowledge: str = "In knowledge"
    set_aside: str = "By its card, the edit did not pass"
    no_live: str = "No correction is live yet."
    look_again: str = "Look again"
    still_holds: str = "Holds when asked today"
    holds_no_more: str = "Does not hold when asked today"
    not_probed: str = "Review date passed"
    stands: str = "It stands"
    stood: str = "Noted. The next review date is set."
    seen: str = "Seen"
    alarms: dict[str, str] = field(
        default_factory=lambda: {
            "burst": "Many reports on one subject within minutes",
            "fast_approval": "Approved within seconds of being queued",
        }
    )
    undo: str = "Undo"
    undo_title: str = "Undo this correction?"
    undo_text: str = "“{question}” goes back to what the model said before. All other edits stay exactly as they are."
    undone: str = "The undo is on its way."
    kill_switch: str = "Serve the base model now"
    kill_title: str = "Serve the model as it came?"
    kill_text: str = (
        "All edits leave the weights at once. Their corrections become Undone and their cards stop; corrections in knowledge "
        "go on answering. Restoring a version brings its edits back, unless an erasure purged it."
    )
    restore: str = "Restore"
    restore_title: str = "Serve version {version} again?"
    restore_text: str = (
        "The weights become exactly those of this version. Live edits that it lacks become Undone, their cards too."
    )
    restored: str = "On its way: the version is being served."
    serving_now: str = "serving"
    base: str = "Base model"
    edits: str = "edits: {n}"
    purged: str = "purged by an erasure"
    figures: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("Asked directly", ("direct",)),
        ("In other words", ("paraphrase",)),
        ("Neighbours kept", ("neighbours_kept",)),
        ("Perplexity", ("perplexity",)),
        ("Pause of the swap, s", ("swap_pause_s",)),
    )
    no_figures: str = "Plots appear with the first version that has been verified."

    add_text: str = "Add a text"
    add_link: str = "Add a link"
    upload: str = "Upload a file"
    document_title: str = "Title"
    document_text: str = "Text"
    document_uri: str = "Address"
    as_of: str = "True as of"
    expires_at: str = "Expires"
    date_help: str = "Both dates may stay empty."
    documents: str = "Documents"
    document_columns: tuple[str, ...] = ("Title", "As of", "Expires", "Passages", "Added", "")
    no_documents: str = "No documents yet. Add what changes: prices, offices, opening hours."
    file_title: str = "Add {name}"
    file_gone: str = "The file is no longer here. Choose it once more."
    first_passages: str = "The first {n} of {of} passages:"
    added: str = "“{title}” is added."
    remove: str = "Remove"
    remove_title: str = "Remove this document?"
    remove_text: str = "“{title}” is used in no answer from now on."
    removed: str = "Removed."
    playground: str = "What would be found?"
    playground_hint: str = "Type a question"
    would_go: str = "This question would be answered by: {route}."

    accounts: str = "Accounts"
    people_columns: tuple[str, ...] = ("Name", "Role", "Since", "State", "")
    add_person: str = "Add a person"
    name: str = "Name"
    role: str = "Role"
    roles: tuple[tuple[str, str], ...] = (
        ("user", "user: chats and reports"),
        ("auditor", "auditor: reads, changes nothing"),
        ("reviewer", "reviewer: edits claims, rejects"),
        ("admin", "admin: approves, undoes, manages"),
    )
    role_names: dict[str, str] = field(
        default_factory=lambda: {
            "user": "User",
            "auditor": "Auditor",
            "reviewer": "Reviewer",
            "admin": "Admin",
            "system": "Errata itself",
        }
    )
    disable: str = "Disable"
    disable_title: str = "Disable {name}?"
    disable_text: str = "The key and all sessions end at once."
    reset: str = "New password and key"
    reset_title: str = "New secrets for {name}?"
    reset_text: str = "The old password, key and sessions end at once."
    secrets_title: str = "Shown once: {name}"
    secrets_text: str = "Hand these over now. They are stored nowhere and cannot be shown again."
    password: str = "Password"
    key: str = "API key"
    disabled: str = "disabled"
    active: str = "active"
    admins_only: str = "Only admins and auditors see this."

    parts: str = "Parts"
    ready: str = "A chat would be answered."
    not_ready: str = "A chat would not be answered now."
    part_names: dict[str, str] = field(
        default_factory=lambda: {"engine": "Engine", "weights": "Weights", "database": "Database", "worker": "Worker"}
    )
    versions: str = "Versions"
    version_names: dict[str, str] = field(
        default_factory=lambda: {
            "errata": "Errata",
            "model": "Model",
            "weights_version": "Weights version",
            "base_sha256": "Base, sha256",
            "weights": "Whose weights",
        }
    )
    worker_states: dict[str, str] = field(
        default_factory=lambda: {
            "idle": "Worker idle",
            "waiting": "Gathering approvals",
            "solving": "Solving",
            "gating": "Verifying",
            "writing": "Writing the version",
            "previewing": "Solving a preview",
            "ahead": "Working ahead",
            "starting": "Worker starting",
            "not running": "Worker not running",
        }
    )
    step_of: str = "step {step} of {of}"


ADMIN = AdminTexts()
