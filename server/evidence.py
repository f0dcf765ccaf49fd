"""Evidence looked at by machine: does what the reporter points to hold the claimed answer?"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from editing.wording import contains, normalise
from retrieval.chunking import without_heaps
from retrieval.errors import RetrievalError
from retrieval.fetch import FetchLimits
from retrieval.ingest import fetch_document

log = logging.getLogger(__name__)

LONGEST_S = 10.0  # for all addresses of a report together: triage does not wait for a slow site
MAX_BYTES = 2_000_000  # of one address: what a reporter sends to be read is smaller than what goes into knowledge
MOST = 5  # addresses fetched for one report
_THREADS = ThreadPoolExecutor(2, "evidence")  # its own: a slow site must not keep those that answer chats


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence.

    uri           where it lies; empty for a text
    sha256        of the text as it was read; empty where it was not
    holds_answer  None: it was not read, and `why` says why
    """

    uri: str
    at: str
    sha256: str
    holds_answer: bool | None
    why: str = ""


def read_address(uri: str) -> str:
    """The headings and the text at a public address.

    Raises RetrievalError. Fetching ends at the limit, since a thread cannot be stopped.
    """
    blocks = fetch_document(uri, limits=FetchLimits(MAX_BYTES, LONGEST_S)).content()
    headings = dict.fromkeys(heading for block in blocks for heading in block.headings)
    return "\n\n".join((*headings, *(block.text for block in blocks)))


async def check_evidence(
    evidence: Sequence[str], answer: str, *, read: Callable[[str], str] | None = read_address
) -> list[Finding]:
    """Look at each piece, addresses side by side; without `read` none is fetched."""
    addresses = [item for item in evidence if is_address(item)][:MOST]
    fetched = await asyncio.gather(*(_fetched(uri, answer, read) for uri in addresses))
    by_uri = {finding.uri: finding for finding in fetched}
    return [
        by_uri.get(item, _unread(item, f"only {MOST} addresses are read"))
        if is_address(item)
        else _read("", item, answer)
        for item in evidence
    ]


def is_address(item: str) -> bool:
    """Whether a piece of evidence is an address and no text."""
    return item.lower().startswith(("http://", "https://")) and not any(letter.isspace() for letter in item)


def said_of(findings: Sequence[Finding]) -> str:
    """For the reason of a proposal: what the evidence is worth; empty if none was given."""
    if not findings:
        return ""
    if any(finding.holds_answer for finding in findings):
        return "the evidence holds the answer"
    if all(finding.holds_answer is None for finding in findings):
        return "the evidence could not be read"
    return "the evidence does not hold the answer, please check"


async def _fetched(uri: str, answer: str, read: Callable[[str], str] | None) -> Finding:
    if read is None:
        return _unread(uri, "addresses are not fetched here (ERRATA_FETCH_EVIDENCE)")
    try:
        async with asyncio.timeout(LONGEST_S):
            return await asyncio.get_running_loop().run_in_executor(_THREADS, lambda: _read(uri, read(uri), answer))
    except RetrievalError as error:
        return _unread(uri, str(error))
    except TimeoutError:
        return _unread(uri, f"it did not arrive within {LONGEST_S:g} s")
    except Exception as error:  # whoever reports chooses the page: no surprise in it may keep the report from a person
        log.exception("an address given as evidence could not be read")
        return _unread(uri, f"it could not be read ({type(error).__name__})")


def _read(uri: str, text: str, answer: str) -> Finding:
    holds = contains(normalise(without_heaps(text)), normalise(answer))
    return Finding(uri, _now(), hashlib.sha256(text.encode()).hexdigest(), holds)


def _unread(uri: str, why: str) -> Finding:
    return Finding(uri, _now(), "", None, why)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
