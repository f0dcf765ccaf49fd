"""Personal data in a text, by kind: contact data and identifiers, found by phonenumbers and python-stdnum, and what is
asked about a person that nobody's weights should hold, by its words; without a model."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

import phonenumbers
from stdnum import iban, luhn
from stdnum.de import idnr
from stdnum.fr import nir
from stdnum.jp import in_ as my_number
from stdnum.th import pin
from stdnum.us import ssn

# Names of people are not looked for: a public figure's work or office may be corrected, and a private person is
# declared as such by the category `personal`.
REGIONS = ("US", "GB", "DE", "FR", "TH", "JP", "IN")
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+")
# Numbers are only tried as identifiers where they are written as one: a year or a population is no phone number.
DIGITS = re.compile(r"(?<![\w.,])\+?\d[\d \-./]{5,24}\d(?!\w|,\d)")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)|(?<![\w:])[0-9a-fA-F]{3,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])"
)
# What a question asks for. Words that stand as well in a question about no person ("What does HIV stand for?") are left
# to the reviewers, by the words of `governance/policy.toml` that ask for a second one.
ASKED_FOR = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in {
        "contact data": r"(?:home|private) address|(?:mobile|phone|telephone) number|e-?mail address",
        "identifier": r"(?:passport|social security|national insurance|identity card|bank account|credit card) number",
        "health": r"(?:medical|health) records?|hiv[- ](?:status|positive|negative)|diagnosed with|mental illness of",
        "sexual orientation": r"sexual (?:orientation|preference)|sexuality of|(?:is|was) .{1,40} (?:gay|lesbian|bisexual)",
        "religion": r"(?<!official )(?<!state )(?<!main )(?<!major )(?<!national )religion (?:of|do|does|did)|religious beliefs?",
        "political opinion": r"political (?:opinion|view|belief)s?|(?:who|party) did .{1,60} vote for",
        "ethnic origin": r"ethnic (?:origin|background)|ethnicity of|racial origin",
        "trade union membership": r"trade[- ]union member(?:ship)?",
        "genetic or biometric data": r"(?:genetic|biometric) data (?:of|on|about)",
        "criminal record": r"criminal records?",
    }.items()
}
PHONE_WORDS = re.compile(r"\b(?:phone|call|tel|mobile|whatsapp|fax|number is|reach)\b", re.IGNORECASE)


def personal_data_in(text: str) -> tuple[str, ...]:
    """The kinds of personal data found in `text`, in plain words, sorted; empty if none."""
    return tuple(sorted(set(_kinds(text))))


def _kinds(text: str) -> Iterator[str]:
    if EMAIL.search(text):
        yield "e-mail address"
    if any(_is_address(found.group(0)) for found in ADDRESS.finditer(text)):
        yield "IP address"
    if any(iban.is_valid(found.group(0)) for found in IBAN.finditer(text)):
        yield "bank account"
    for found in DIGITS.finditer(text):
        number = found.group(0)
        yield from _number_kinds(number)
    if _has_phone(text):
        yield "phone number"
    yield from (kind for kind, words in ASKED_FOR.items() if words.search(text))


def _number_kinds(number: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", number)
    if 13 <= len(digits) <= 19 and luhn.is_valid(digits):
        yield "card number"
    checks: tuple[tuple[Callable[[str], bool], str], ...] = (
        (lambda n: "-" in n and bool(ssn.is_valid(n)), "social security number"),
        (pin.is_valid, "Thai identity number"),
        (nir.is_valid, "French social security number"),
        (idnr.is_valid, "German tax number"),
        (my_number.is_valid, "Japanese individual number"),
    )
    yield from (kind for is_valid, kind in checks if is_valid(number))


def _has_phone(text: str) -> bool:
    international = phonenumbers.PhoneNumberMatcher(text, None, leniency=phonenumbers.Leniency.VALID)
    if next(iter(international), None) is not None:
        return True
    # A national number looks like many other numbers: it counts where the text speaks of phoning or groups it like one.
    for region in REGIONS:
        for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.STRICT_GROUPING):
            if PHONE_WORDS.search(text) or re.search(r"\d[ ().-]+\d+[ .-]\d", match.raw_string):
                return True
    return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
