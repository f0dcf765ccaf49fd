"""Every text about the log on the admin page; another language is another instance of `LogTexts`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTexts:
    """The words of the log. Braces name what is filled in."""

    entries: str = "Entries of the log"
    columns: tuple[str, ...] = ("No.", "When", "What", "About", "")
    kinds: dict[str, str] = field(
        default_factory=lambda: {
            "account.added": "Account added",
            "account.disabled": "Account disabled",
            "account.erased": "Account erased",
            "account.guessing": "Passwords guessed",
            "account.reset": "New secrets",
            "alarm.seen": "Alarm seen",
            "backup.made": "Backup made",
            "backup.restored": "Backup restored",
            "conversation.deleted": "Chat deleted",
            "correction.adopted": "Report adopted",
            "correction.approval": "Report approved by one",
            "correction.artefact": "Edit computed",
            "correction.evidence": "Evidence added",
            "correction.evidence_read": "Evidence read",
            "correction.forgotten": "Report forgotten",
            "correction.moved": "Report moved on",
            "correction.probed_again": "Fact asked again",
            "correction.rerouted": "Remedy changed",
            "correction.reviewed": "Fact stands",
            "correction.revised": "Claim edited",
            "correction.told": "Reporter told",
            "correction.undo_requested": "Undo asked for",
            "correction.unfit": "Edit set aside",
            "document_added": "Document added",
            "document_removed": "Document removed",
            "erasure.execution_ordered": "Erasure ordered",
            "erasure.method": "Erasure, one method",
            "erasure.moved": "Erasure moved on",
            "export.made": "Export made",
            "key.guessing": "Keys guessed",
            "version.built": "Version built",
            "version.desired": "Version wanted",
            "version.measured": "Version measured",
            "version.purged": "Version purged",
            "version.rebased": "Version rebased",
            "version.served": "Version served",
        }
    )
    shown: str = "Entries {first} to {last}"
    jump: str = "Go to entry"
    no_entry: str = "Give the number of an entry."
    month: str = "Figures of this month"
    newer: str = "Newer"
    older: str = "Older"
    prove: str = "Prove it"
    proof_title: str = "Entry {n}: proof"
    proof_good: str = (
        "Entry {n} is in the log of {size} entries. The proof was recomputed here, from the entry to the signed root."
    )
    proof_bad: str = "The proof does not hold: {why}"
    proof_steps: tuple[str, ...] = (
        "Entry",
        "Its hash (leaf)",
        "Hashes on the way",
        "Root reached",
        "Root in the signed checkpoint",
        "Checkpoint",
    )
    leaf_differs: str = "the entry does not have the hash that the gateway names"
    root_differs: str = "the path leads to {reached}, the checkpoint says {root}"
    signature_note: str = "The signature itself is checked offline: errata audit verify."


LOG = LogTexts()
