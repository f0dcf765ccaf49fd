"""What can go wrong between a page and the gateway.

UiError
├── FormUnclear         what was filled in cannot be sent as it is; the message is for who filled it in
├── GatewayRefused      the gateway answered with an error; `.message` is its own wording
│   └── SignedOut       the session ended: sign in again
└── GatewayUnreachable  no answer at all, or one that is not JSON
"""


class UiError(Exception):
    """Base of everything this room raises."""


class FormUnclear(UiError):
    """What was filled in cannot be sent as it is; the message is in the page's own words."""


class GatewayRefused(UiError):
    """The gateway said no; the message is fit to be shown to the person who asked."""

    def __init__(self, message: str, *, status: int, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


class SignedOut(GatewayRefused):
    """The cookie is missing, has ended or was revoked."""


class GatewayUnreachable(UiError):
    """Nothing answered at the gateway's address, or what did is no JSON; `may_be_done` where a change had been sent."""

    def __init__(self, message: str, *, may_be_done: bool = False) -> None:
        super().__init__(message)
        self.may_be_done = may_be_done
