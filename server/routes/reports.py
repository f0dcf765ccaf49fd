"""Printable pages over HTTP: the record of a correction, and the figures of a period."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from governance.export import every
from governance.records import figures
from governance.reports import correction_page, period_page
from governance.times import period
from server.auth import Auditor, ServicesOf, Signed
from server.body import Parameters
from server.routes.corrections import visible

router = APIRouter(prefix="/v1", tags=["reports"])


class Period(Parameters):
    """From the first day to the last."""

    since: date | None = None
    until: date | None = None


@router.get("/corrections/{correction_id}/report")
def of_correction(correction_id: str, services: ServicesOf, account: Signed) -> HTMLResponse:
    """The whole record of a correction; with its texts for its reporter and for those who review."""
    found = visible(services, account, correction_id)
    texts = account.id == found.reporter_id or account.role.may_review
    return HTMLResponse(correction_page(found, texts=texts))


@router.get("/reports")
def of_period(
    services: ServicesOf,
    _: Auditor,
    wanted: Annotated[Period, Query()],
) -> HTMLResponse:
    """The figures of a period: volume, time to resolution, upheld and overturned, scores, rollbacks. By default this month."""
    start, end = period(wanted.since, wanted.until)
    return HTMLResponse(period_page(figures(every(services.records.ledger), start=start, end=end)))
