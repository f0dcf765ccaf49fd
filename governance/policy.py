"""Who must agree to what: risk tiers, approvals, limits and alarms, read from a file people can read."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from governance.accounts import Account
from governance.corrections import Category, Claim, Correction, Remedy
from governance.errors import Forbidden, Invalid

DEFAULT = Path(__file__).with_name("policy.toml")
STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed."""

    reports_per_person_hour: int
    reports_per_subject_day: int
    weight_edits_per_batch: int
    weight_edits_per_day: int
    weight_edits_per_subject: int
    appeals: int
    crashes: int


@dataclass(frozen=True, slots=True)
class Alarms:
    """When a person should look."""

    burst_reports: int
    burst_minutes: int
    fast_approval_s: float


@dataclass(frozen=True, slots=True)
class Tier:
    """How many approvals, by when, and what puts a claim into this tier."""

    name: str
    approvals: int
    due: timedelta
    categories: frozenset[str]
    personal_data: bool
    words: Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force. Tiers are ordered from the least to the most demanding."""

    limits: Limits
    alarms: Alarms
    tiers: tuple[Tier, ...]
    review_after: Mapping[Remedy, timedelta]
    editor_may_approve: bool

    @classmethod
    def load(cls, path: Path | None = None) -> "Policy":
        """The policy in the file, or the one that comes with Errata. Raises Invalid for a file that lacks something."""
        source = path or DEFAULT
        try:
            data = tomllib.loads(source.read_text(encoding="utf-8"))
            tiers = sorted(
                (_tier(name, table) for name, table in data["tiers"].items()), key=lambda tier: tier.approvals
            )
            return cls(
                limits=Limits(**data["limits"]),
                alarms=Alarms(**data["alarms"]),
                tiers=tuple(tiers),
                review_after={
                    Remedy.WEIGHTS: timedelta(days=data["review"]["weights_days"]),
                    Remedy.KNOWLEDGE: timedelta(days=data["review"]["knowledge_days"]),
                },
                editor_may_approve=bool(data["roles"]["editor_may_approve"]),
            )
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise Invalid(
                f"policy file {str(source)!r} cannot be used ({error}): compare it with {DEFAULT.name}"
            ) from error

    def tier(self, name: str) -> Tier:
        """The tier of this name; the strictest if the file no longer has it."""
        return next((tier for tier in self.tiers if tier.name == name), self.tiers[-1])

    def risk_tier(
        self, claim: Claim, *, category: Category = Category.WRONG, personal_data: bool = False
    ) -> tuple[str, str]:
        """The most demanding tier the claim falls into, and on what ground."""
        text = "\n".join((claim.question, claim.canonical_question, claim.subject, claim.correct_answer))
        for tier in reversed(self.tiers):
            if category.value in tier.categories:
                return tier.name, f"category {category.value}"
            if personal_data and tier.personal_data:
                return tier.name, "personal data"
            for ground, pattern in tier.words.items():
                if found := pattern.search(text):
                    return tier.name, f"{ground}: {found.group().lower()}"
        return self.tiers[0].name, "no ground for more"

    def approvals_needed(self, tier: str, remedy: Remedy | None = None) -> int:
        """How many people must approve; the tiers of the shipped file ask the same for both remedies."""
        return self.tier(tier).approvals

    def weights_barred(self, *, category: Category, personal_data: bool, volatile: bool | None) -> str | None:
        """Why this fact may never be edited into weights, or None."""
        if category is Category.PERSONAL:
            return "it concerns a person's private data, which never goes into weights"
        if personal_data:
            return "it contains personal data, which never goes into weights"
        if volatile:
            return "it changes with time, and facts that change are answered from knowledge"
        return None

    def check_approval(self, correction: Correction, account: Account) -> None:
        """Raises Forbidden unless this person may approve this correction: an admin, not its reporter, once."""
        if not account.role.may_administer:
            raise Forbidden(f"a {account.role.value} may not approve: ask an admin")
        if account.id == correction.reporter_id:
            raise Forbidden("you reported this correction: another admin has to approve it")
        if account.id in correction.authors and not self.editor_may_approve:
            raise Forbidden("you rewrote the answer of this correction: another admin has to approve it")
        if any(approval.actor_id == account.id for approval in correction.approvals):
            raise Forbidden("you have approved this correction already: the next approval must be another admin's")


def _tier(name: str, table: Mapping[str, Any]) -> Tier:
    return Tier(
        name=name,
        approvals=int(table["approvals"]),
        due=timedelta(days=table["due_days"]),
        categories=frozenset(table.get("categories", ())),
        personal_data=bool(table.get("personal_data", False)),
        words={ground: _any_of(words) for ground, words in table.get("words", {}).items()},
    )


def _any_of(words: list[str]) -> re.Pattern[str]:
    """One pattern for whole words and phrases; a trailing * stands for any ending."""
    parts = [
        re.escape(word.removesuffix("*")).replace(r"\ ", r"\s+") + (r"\w*" if word.endswith("*") else "")
        for word in words
    ]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b" if parts else r"(?!)", re.IGNORECASE)
