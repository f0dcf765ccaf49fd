"""Signed notes of C2SP: Ed25519 signatures on short texts, here on the head of the log (tlog-checkpoint)."""

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.errors import LogError
from governance.vault import load_or_create_key

ALGORITHM_ED25519 = b"\x01"
ORIGIN = "errata/audit"


class Signer:
    """An Ed25519 key with a name; signs notes as c2sp.org/signed-note describes them."""

    def __init__(self, seed: bytes, name: str = ORIGIN) -> None:
        if not name or any(character.isspace() or character == "+" for character in name):
            raise LogError(f"the key name {name!r} cannot be used: no spaces and no plus sign")
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        identity = name.encode() + b"\n" + ALGORITHM_ED25519 + self._public
        self._key_hash = hashlib.sha256(identity).digest()[:4]

    @classmethod
    def load_or_create(cls, path: Path, name: str = ORIGIN) -> "Signer":
        """The key whose 32-byte seed lies in `path` (0600), made at random if there is none."""
        return cls(load_or_create_key(path), name)

    @property
    def verifier_key(self) -> str:
        """The public key as notes write it: name+hash+base64. Give it to whoever verifies."""
        encoded = base64.b64encode(ALGORITHM_ED25519 + self._public).decode()
        return f"{self.name}+{self._key_hash.hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """The text, a blank line, and the signature line."""
        if not text.endswith("\n"):
            raise LogError("the text of a note ends with a newline")
        signature = base64.b64encode(self._key_hash + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines of a checkpoint: whose log, how many entries, the root in base64."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
