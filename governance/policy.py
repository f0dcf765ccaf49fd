"""Who must agree to what: risk tiers, approvals, limits and alarms, read from a file people can read."""

import re
import reprlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from governance.accounts import Account
from governance.corrections import Category, Claim, Correction, Remedy
from governance.errors import Forbidden, Invalid

DEFAULT = Path(__file__).with_name("policy.toml")

KNOWN = ConfigDict(extra="forbid")
"""A name that nobody reads is a slip of the pen: it would ask for less, unseen. Nor is a number in quotes one."""
MAX_DAYS = 36_500  # a date further off would leave the calendar
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Positive = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Days = Annotated[float, Field(strict=True, ge=0, le=MAX_DAYS, allow_inf_nan=False)]
YesOrNo = Annotated[bool, Field(strict=True)]
Word = Annotated[str, Field(pattern=r"^\w(.*\w)?\*?$")]  # others are found nowhere, or everywhere


@checked_dataclass(frozen=True, slots=True, config=KNOWN)
class Limits:
    """How much is allowed."""

    reports_per_person_hour: Count
    reports_per_subject_day: Count
    weight_edits_per_batch: Positive
    weight_edits_per_day: Count
    weight_edits_per_subject: Count
    appeals: Count
    crashes: Positive


@checked_dataclass(frozen=True, slots=True, config=KNOWN)
class Alarms:
    """When a person should look."""

    burst_reports: Positive
    burst_minutes: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS * 24 * 60)]
    fast_approval_s: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


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
        """The policy in the file, or the one that comes with Errata.

        Raises Invalid, with the field, what stands there and what is allowed, for a file that lacks something, or that
        holds anything else.
        """
        source = path or DEFAULT
        try:
            read = _PolicyFile.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
        except (ValueError, OSError) as error:
            why = _in_words(error) if isinstance(error, ValidationError) else str(error)
            raise Invalid(
                f"policy file {str(source)!r} cannot be used ({why}): compare it with {DEFAULT.name}"
            ) from error
        tiers = (_tier(name, table) for name, table in read.tiers.items())
        return cls(
            limits=read.limits,
            alarms=read.alarms,
            tiers=tuple(sorted(tiers, key=lambda tier: tier.approvals)),
            review_after={
                Remedy.WEIGHTS: timedelta(days=read.review.weights_days),
                Remedy.KNOWLEDGE: timedelta(days=read.review.knowledge_days),
            },
            editor_may_approve=read.roles.editor_may_approve,
        )

    def tier(self, name: str) -> Tier:
        """The tier of this name; the strictest if the file no longer has it."""
        return next((tier for tier in self.tiers if tier.name == name), self.tiers[-1])

    def risk_tier(
        self, claim: Claim, *, category: Category = Category.WRONG, personal_data: bool = False
    ) -> tuple[str, str]:
        """The most demanding tier the claim falls into, and on what ground."""
        for tier in reversed(self.tiers):
            if category.value in tier.categories:
                return tier.name, f"category {category.value}"
            if personal_data and tier.personal_data:
                return tier.name, "personal data"
            for ground, pattern in tier.words.items():
                if found := pattern.search(claim.words):
                    return tier.name, f"{ground}: {found.group().lower()}"
        return self.tiers[0].name, "no ground for more"

    def approvals_needed(self, tier: str) -> int:
        """How many people must approve, whatever the remedy."""
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
            raise Forbidden(f"{account.role.with_article} may not approve: ask an admin")
        if account.id == correction.reporter_id:
            raise Forbidden("you reported this correction: another admin has to approve it")
        if account.id in correction.authors and not self.editor_may_approve:
            raise Forbidden("you rewrote the answer of this correction: another admin has to approve it")
        if any(approval.actor_id == account.id for approval in correction.approvals):
            raise Forbidden("you have approved this correction already: the next approval must be another admin's")


class _Review(BaseModel):
    model_config = KNOWN

    weights_days: Days
    knowledge_days: Days


class _Roles(BaseModel):
    model_config = KNOWN

    editor_may_approve: YesOrNo


class _TierTable(BaseModel):
    model_config = KNOWN

    approvals: Positive
    due_days: Days
    categories: list[Category] = []
    personal_data: YesOrNo = False
    words: dict[str, list[Word]] = {}


class _PolicyFile(BaseModel):
    model_config = KNOWN

    limits: Limits
    alarms: Alarms
    review: _Review
    roles: _Roles
    tiers: Annotated[dict[str, _TierTable], Field(min_length=1)]


def _in_words(error: ValidationError) -> str:
    """Every field that is wrong, what stands there, and what is allowed."""
    told = []
    for one in error.errors():
        found = "" if one["type"] == "missing" else f" is {reprlib.repr(one['input'])}"
        told.append(f"{'.'.join(map(str, one['loc']))}{found}: {one['msg']}")
    return "; ".join(told)


def _tier(name: str, table: _TierTable) -> Tier:
    return Tier(
        name=name,
        approvals=table.approvals,
        due=timedelta(days=table.due_days),
        categories=frozenset(category.value for category in table.categories),
        personal_data=table.personal_data,
        words={ground: _any_of(words) for ground, words in table.words.items()},
    )


def _any_of(words: list[str]) -> re.Pattern[str]:
    """One pattern for whole words and phrases; a trailing * stands for any ending."""
    parts = [
        re.escape(word.removesuffix("*")).replace(r"\ ", r"\s+") + (r"\w*" if word.endswith("*") else "")
        for word in words
    ]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b" if parts else r"(?!)", re.IGNORECASE)
