"""What can go wrong while reading, storing and finding documents.

RetrievalError
├── DocumentRefused            the document cannot go in; the index is untouched
│   ├── EmptyDocument
│   ├── DocumentTooLarge
│   ├── UnsupportedFormat
│   ├── UnreadableDocument     damaged, binary under a text name, wrong encoding
│   └── EncryptedDocument
├── AddressRefused             a URL that must not or could not be fetched
├── DocumentNotFound
├── EmbedderUnavailable        no model folder, or its weights are not the expected ones
├── FreshnessArtefactInvalid
├── SamenessArtefactInvalid    the file is not a map of what questions ask
└── BenchInputInvalid          a bench file lacks a column, or a key does not resolve
"""


class RetrievalError(Exception):
    """Base of everything this room raises on purpose."""


class DocumentRefused(RetrievalError):
    """The document cannot go in; the index is untouched."""


class EmptyDocument(DocumentRefused):
    """There is no text to store."""


class DocumentTooLarge(DocumentRefused):
    """The file, its unpacked content or its text passes a limit."""


class UnsupportedFormat(DocumentRefused):
    """No parser reads this kind of file."""


class UnreadableDocument(DocumentRefused):
    """The content is damaged, binary, or in an encoding that cannot be told."""


class EncryptedDocument(DocumentRefused):
    """The content is locked with a password."""


class AddressRefused(RetrievalError):
    """The URL must not be fetched, or fetching it failed."""


class DocumentNotFound(RetrievalError, LookupError):
    """No document or passage has this id."""


class EmbedderUnavailable(RetrievalError):
    """The embedding model cannot be loaded."""


class FreshnessArtefactInvalid(RetrievalError):
    """The file is not a freshness head, or belongs to another embedder."""


class SamenessArtefactInvalid(RetrievalError):
    """The file is not a map of what questions ask."""


class BenchInputInvalid(RetrievalError):
    """A bench file lacks a column, or a key in it does not resolve."""
