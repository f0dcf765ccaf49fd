"""Personal data, which bars a report from the weights: each kind is found where it stands, and what looks like it is not."""

from __future__ import annotations

import pytest

from server.personal_data import ASKED_FOR, personal_data_in


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to ida.fern+news@mail.example.org.", ("e-mail address",)),
        ("Her router is 192.168.1.20.", ("IP address",)),
        ("It is 2001:db8:0:0:0:0:2:1 now.", ("IP address",)),
        ("It is 2001:DB8::2:1.", ("IP address",)),
        ("Pay to DE89 3704 0044 0532 0130 00.", ("bank account",)),
        ("Her card is 4111 1111 1111 1111.", ("card number",)),
        ("It is 4111 1111 1111 1111, she says.", ("card number",)),
        ("Her old card is 4222 2222 2222 2.", ("card number",)),
        ("Her long card is 4222 2222 2222 2222 224.", ("card number",)),
        ("Her number is 536-90-4399.", ("social security number",)),
        ("It is 1-1017-00230-70-8.", ("Thai identity number",)),
        ("It is 2 95 10 99 126 111 93.", ("French social security number",)),
        ("It is 36 574 261 809.", ("German tax number",)),
        ("It is 6214 9832 0257.", ("Japanese individual number",)),
        ("She is at +49 30 901820.", ("phone number",)),
        ("Hers: +4930901820", ("phone number",)),
        ("Reach her: 4155552671", ("phone number",)),
        ("Her desk: (415) 555-2671", ("phone number",)),
        ("ida@fern.example, +49 30 901820", ("e-mail address", "phone number")),
    ],
)
def test_contact_data_and_identifiers_are_found_as_what_they_are(text: str, kinds: tuple[str, ...]) -> None:
    assert personal_data_in(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It was built in 1903 and rebuilt in 1911-12.",
        "It has 1 400 000 inhabitants, 8,849 metres above the sea.",
        "Write @ida or a@b.",
        "Release 1.2.3.400 came after 10.2.1, before 1.2.3.4.5 and 1.2.3.4a.",
        "Use std::vector or A::B at 1911:10:20.",
        "It sold 4111,1111,1111,1111 copies.",
        "Pay to DE88 3704 0044 0532 0130 00.",  # its check digits are wrong
        "Its number is 4111 1111 1111 1112.",
        "The catalogue number is 536904399.",
        "It had 4155552671 visitors, or 415-55-52671.",
        "It counts 1234 5678 9012.",
        "Its numbers are 4222 2222 2222 and 4222 2222 2222 2222 2228.",
        "The part number is 36 574 261 808.",
    ],
)
def test_years_counts_and_numbers_that_do_not_check_are_no_personal_data(text: str) -> None:
    assert personal_data_in(text) == ()


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is the home address of Ida Fern?", "contact data"),
        ("What is Ida Fern's passport number?", "identifier"),
        ("What was Ida Fern diagnosed with?", "health"),
        ("Is Ida Fern gay?", "sexual orientation"),
        ("What is the religion of Ida Fern?", "religion"),
        ("Which party did Ida Fern vote for?", "political opinion"),
        ("What is the ethnicity of Ida Fern?", "ethnic origin"),
        ("Does Ida Fern have a trade-union membership?", "trade union membership"),
        ("What does the genetic data of Ida Fern show?", "genetic or biometric data"),
        ("Has Ida Fern a criminal record?", "criminal record"),
    ],
)
def test_what_is_asked_about_a_person_is_named_by_its_kind(question: str, kind: str) -> None:
    assert personal_data_in(question.upper()) == (kind,)
    assert kind in ASKED_FOR


@pytest.mark.parametrize(
    "question",
    ["What is the official religion of Velmora?", "What does HIV stand for?", "Who founded the Gay Quay Cup?"],
)
def test_what_is_asked_about_the_public_world_is_not(question: str) -> None:
    assert personal_data_in(question) == ()
