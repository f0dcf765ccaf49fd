"""What this room refuses, as one small tree of errors.

GovernanceError
├── NotFound            no such record, or not one this person may know of
├── MoveNotAllowed      the correction's status, or a change of its words, does not allow this move now
├── Forbidden           this person may not do this
│   └── WeightsBarred   this fact may never be edited into weights
├── Invalid             what was submitted cannot be accepted as it is
│   ├── InvalidClaim    a report's text: empty, too long, or with control tokens
│   └── InvalidAccount  a name, key or password that cannot be used
├── TooMany             a limit per person or per subject is reached
├── Erased              the person's key has been destroyed
├── WrongKey            the master key does not open this vault
└── LogError            the log cannot do what was asked
"""


class GovernanceError(Exception):
    """Base of every error of this room."""


class NotFound(GovernanceError):
    """No such record, or not one this person may know of."""


class MoveNotAllowed(GovernanceError):
    """The correction's status, or a change of its words, does not allow this move now."""


class Forbidden(GovernanceError):
    """This person may not do this."""


class WeightsBarred(Forbidden):
    """This fact may never be edited into weights."""


class Invalid(GovernanceError):
    """What was submitted cannot be accepted as it is; `param` names the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class InvalidClaim(Invalid):
    """A report's text: empty, too long, or with control tokens."""


class InvalidAccount(Invalid):
    """A name, key or password that cannot be used."""


class TooMany(GovernanceError):
    """A limit per person or per subject is reached; `retry_after_s` says when to come back."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Erased(GovernanceError):
    """The person's key has been destroyed: nothing more can be stored for them."""


class WrongKey(GovernanceError):
    """The master key does not open this vault."""


class LogError(GovernanceError):
    """The log cannot do what was asked."""
