import os
from pathlib import Path

import pytest

from editing.facts import Fact


@pytest.fixture
def facts():
    return [
        Fact("mona", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael", "Leonardo da Vinci"),
        Fact("france", "France", "What is the capital of France?", "Lyon", "Paris"),
        Fact("acme", "Acme Foods", "What does Acme Foods make?", "violins"),
        Fact("bell", "Kamau Bell", "Where was Kamau Bell born?", "Nairobi"),
        Fact("pi", "Pi Day", "When is Pi Day?", "14 March"),
    ]


@pytest.fixture(scope="session")
def model_folder(request):
    """The embedded model's folder: the one that ERRATA_TEST_MODEL names, else prepared for the whole session."""
    named = os.environ.get("ERRATA_TEST_MODEL", "")
    return Path(named) if named else request.getfixturevalue("embedded_model")
