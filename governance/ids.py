"""Random, unguessable, prefixed names for records."""

import base64
import secrets


def new_id(prefix: str) -> str:
    """`cor_k3v...`: 20 random bytes in lower-case base32 behind the prefix."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(20)).decode().lower()}"
