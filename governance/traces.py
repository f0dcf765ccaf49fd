"""Where a person occurs in the sealed records: texts, corrections, and the edits made from them."""

import re
from collections.abc import Mapping
from dataclasses import replace

from governance.correction_rows import TEXTS_OF_CORRECTIONS
from governance.corrections import Status
from governance.ledger import Ledger
from governance.requests import Occurrence, Place, Subject
from governance.residual import Probes, holds, in_words, revealing, reveals
from governance.store import Store
from governance.vault import Vault
from governance.versions import Versions

ACCOUNTS = """
SELECT a.id, a.name FROM accounts a LEFT JOIN person_keys k ON k.owner = a.id WHERE k.erased IS NULL
UNION ALL SELECT pseudonym, name FROM operators
"""
REFUSED = "SELECT id FROM erasure_requests WHERE status = 'refused'"
BETWEEN_WORDS = re.compile(r"[._@+-]+")


class Traces:
    """The search through what the vault holds. Texts can only be read with their keys, so each is opened and looked at."""

    def __init__(self, store: Store, vault: Vault, *, ledger: Ledger, versions: Versions) -> None:
        self._store, self._vault = store, vault
        self._ledger, self._versions = ledger, versions

    def of(self, subject: Subject) -> set[Occurrence]:
        """Every sealed text that names the person; texts of a correction count as that correction, and as an edit
        where it is or was in the weights. Also their account, and those whose login names hold the person's name, here
        or in the operating system."""
        found = {Occurrence(Place.TEXT, account_id) for account_id in self._accounts_of(subject)}
        if subject.needles:
            found |= self._texts_naming(subject)
        now = self._ledger.in_status(Status.LIVE, Status.EDITING)
        edited = self._versions.corrections().union(one.id for one in now)
        return found | {
            replace(one, place=Place.EDIT) for one in found if one.place is Place.CORRECTION and one.ref in edited
        }

    def _texts_naming(self, subject: Subject) -> set[Occurrence]:
        owners = {row["text"]: row["id"] for row in self._store.rows(TEXTS_OF_CORRECTIONS)}
        refused = {row["id"] for row in self._store.rows(REFUSED)}
        found: set[Occurrence] = set()
        for text_id, owner, _, text in self._vault.scan():
            # Requests that are open lose their names when they are closed; hashes of documents name nobody.
            is_passed = owner.startswith(("era_", "doc_")) and owner not in refused
            if is_passed or not reveals(text, subject.needles):
                continue
            place = Place.CORRECTION if text_id in owners else Place.TEXT
            within = owner != subject.account_id and is_within_a_word(text, subject)
            found.add(Occurrence(place, owners.get(text_id, text_id), within))
        # One text of a correction that names the person is enough.
        return {one for one in found if not one.within_a_word or replace(one, within_a_word=False) not in found}

    def _accounts_of(self, subject: Subject) -> list[str]:
        wanted = [_words(needle) for needle in subject.needles]
        return [
            row["id"]
            for row in self._store.rows(ACCOUNTS)
            if row["id"] == subject.account_id or any(holds(_words(row["name"]), needle) for needle in wanted)
        ]


def is_within_a_word(text: str, subject: Subject) -> bool:
    """Whether the person's names stand in the text only inside longer words. What identifies them otherwise, an address or
    a number, is theirs wherever it stands."""
    return not in_words(text, subject.names) and not reveals(text, subject.identifiers)


def in_replies(probes: Probes, subject: Subject, replies: Mapping[str, str]) -> set[Occurrence]:
    """The probes, by number, whose reply brings the person to light."""
    found: set[Occurrence] = set()
    for question in revealing(probes, subject.needles, replies):
        names, others = (
            tuple(needle for needle in needles if not reveals(question, [needle]))
            for needles in (subject.names, (*subject.identifiers, *probes.secrets))
        )
        within = is_within_a_word(replies[question], Subject(names, others))
        found.add(Occurrence(Place.MODEL, probes.ref_of(question), within))
    return found


def _words(name: str) -> str:
    """A login name or an address as words: `ann.lee` names Ann Lee."""
    return BETWEEN_WORDS.sub(" ", name).strip()
