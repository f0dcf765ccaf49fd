"""What can go wrong at the HTTP edge, and the status code of every error of the rooms below."""

from __future__ import annotations

from typing import Any

import editing.errors
import governance.errors
import retrieval.errors

# ServerError
# ├── BadRequest          400  the request cannot be understood
# │   └── EngineRefused   400  the engine rejected the request's parameters
# ├── NotSignedIn         401  no or unknown key, password or session
# ├── NotAllowed          403  known, but the role may not
# ├── Missing             404  no such thing, or not yours
# ├── InUse               409  something else keeps it
# ├── TooLarge            413  body over the limit
# ├── TooManyWrongKeys    429  unknown API keys in a row from one address
# ├── ModelRefused        500  the model cannot be served and edited: commands alone raise it
# ├── WorkUnfinished      503  worker and publisher are not done yet; the same call goes on with it
# ├── PreviewUnavailable  503  the worker did not answer in time
# └── EngineUnavailable   503  the model cannot answer now
#     └── SwapFailed      503  the weights may be half exchanged


class ServerError(Exception):
    """Base of the errors raised by `server/` itself."""

    status = 500
    type = "server_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class BadRequest(ServerError):
    status, type = 400, "invalid_request_error"


class NotSignedIn(ServerError):
    status, type = 401, "authentication_error"


class NotAllowed(ServerError):
    status, type = 403, "permission_error"


class Missing(ServerError):
    status, type = 404, "not_found_error"


class InUse(ServerError):
    status, type = 409, "conflict_error"


class TooLarge(ServerError):
    status, type = 413, "invalid_request_error"


class TooManyWrongKeys(ServerError):
    status, type = 429, "rate_limit_error"

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many unknown API keys came from this address. Try again in {wait_s} seconds.")
        self.retry_after_s = wait_s


class EngineUnavailable(ServerError):
    status, type = 503, "engine_unavailable"


class WorkUnfinished(ServerError):
    status, type = 503, "work_unfinished"


class EngineRefused(BadRequest):
    """The engine said no; its reason is the message."""


# One row per error of the rooms; subclasses inherit their parent's row, and a test asks that none is missing.
STATUS_BY_ERROR: dict[type[Exception], tuple[int, str]] = {
    governance.errors.NotFound: (404, "not_found_error"),
    governance.errors.MoveNotAllowed: (409, "conflict_error"),
    governance.errors.Forbidden: (403, "permission_error"),
    governance.errors.Invalid: (400, "invalid_request_error"),
    governance.errors.TooMany: (429, "rate_limit_error"),
    governance.errors.Erased: (410, "not_found_error"),
    governance.errors.WrongKey: (500, "server_error"),
    governance.errors.LogError: (409, "conflict_error"),
    retrieval.errors.DocumentRefused: (400, "invalid_request_error"),
    retrieval.errors.DocumentTooLarge: (413, "invalid_request_error"),
    retrieval.errors.UnsupportedFormat: (415, "invalid_request_error"),
    retrieval.errors.AddressRefused: (400, "invalid_request_error"),
    retrieval.errors.DocumentNotFound: (404, "not_found_error"),
    retrieval.errors.EmbedderUnavailable: (500, "server_error"),
    retrieval.errors.FreshnessArtefactInvalid: (500, "server_error"),
    retrieval.errors.SamenessArtefactInvalid: (500, "server_error"),
    retrieval.errors.BenchInputInvalid: (400, "invalid_request_error"),
    editing.errors.EditingError: (400, "invalid_request_error"),
}


UNFORESEEN = "Something broke inside Errata; the process log has the details."


def status_of(error: Exception) -> tuple[int, str]:
    """Status code and type of an error, ours or a room's; 500 for one that nobody foresaw."""
    if isinstance(error, ServerError):
        return error.status, error.type
    for kind in type(error).__mro__:
        if kind in STATUS_BY_ERROR:
            return STATUS_BY_ERROR[kind]
    return 500, "server_error"


def error_body(message: str, type_: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """OpenAI's error shape, which every non-2xx answer of the gateway has."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}
