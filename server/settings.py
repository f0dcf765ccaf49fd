"""Every setting with its default; flags win over ERRATA_* variables, which win over `.env`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EMBEDDED = "embedded"  # the model and the embedder that arrive as PyPI wheels
# Variables that are no settings: of `make`, of tests, of the engine's process, and keys that a script keeps.
NO_SETTING = re.compile(
    r"ERRATA_(DEVICE|REQUIRE_BROWSER|STORY_PICTURES|TEST_MODEL|ENGINE_FORK|(?!\w+__)\w+_(KEY|PASSWORD))"
)
NEAR = 0.75  # how alike a name and the setting that is meant are, without ERRATA_


def _fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:
        fits = False
    return None if fits else "give an address such as http://127.0.0.1:8000"


def _fault_of_a_server(url: str) -> str | None:
    if fault := _fault(url):
        return fault
    if re.search(r"[?#]", url):
        return "give it without a query (?) or a fragment (#), such as http://127.0.0.1:8000"
    return "leave out the /v1 at its end: commands add it" if re.search("[^/]/v1/*$", url) else None


class EmptyIsUnset(BaseModel):
    """Settings of which an empty variable sets nothing: `ERRATA_POLICY=` is the way to write "none" in a shell or `.env`."""

    @field_validator("*", mode="before")
    @classmethod
    def _default_if_empty(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @field_validator("api_key", check_fields=False)
    @classmethod
    def _fit_for_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not re.fullmatch(r"[!-~]([ -~]*[!-~])?", key.get_secret_value()):
            raise ValueError("a key holds printable ASCII characters alone, and no space at its ends: copy it anew")
        return key


class EngineSettings(EmptyIsUnset):
    """The language model's server."""

    url: str | None = Field(None, description="an OpenAI-compatible server started elsewhere; empty: Errata runs vLLM")
    api_key: SecretStr | None = Field(None, description="bearer key for that server")
    model: str | None = Field(None, description="the model's name at that server; empty: the first it lists")
    weights: Literal["ours", "none"] = Field(
        "none", description="for --engine-url: may Errata change that server's weights?"
    )
    follow_ups: Literal["auto", "rule", "model"] = Field(
        "auto",
        description="who makes 'And in Italy?' a whole question; auto: rules up to a billion parameters, else the model",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        "auto", description="serving precision; auto: bfloat16 on a GPU, float32 on a CPU"
    )
    compile: Literal["auto", "yes", "no"] = Field("auto", description="torch.compile in vLLM: faster, slower to start")
    max_model_len: int = Field(4096, ge=512, description="longest prompt plus answer, in tokens")
    kv_cache_gib: float = Field(1.0, gt=0, description="memory for attention keys and values on a CPU")
    gpu_memory_utilization: float = Field(0.6, gt=0, le=1, description="share of GPU memory for vLLM; the rest edits")
    start_timeout_s: float = Field(900, gt=0, description="our own vLLM is started again if it answers no sooner")


class WorkerSettings(EmptyIsUnset):
    """The process that computes edits."""

    batch_wait_s: float = Field(2.0, ge=0, description="pause for more approvals before a release is solved")
    batch_wait_max_s: float = Field(10.0, ge=0, description="longest such pause")
    threads: int = Field(0, ge=0, description="torch threads of the worker, 0: one per core; its priority is low")
    niceness: int = Field(10, ge=0, le=19, description="scheduling priority of the worker, 19 is the lowest")
    ahead: bool = Field(
        True, description="work out the edits of reports that wait for review, when nothing else is to do"
    )
    keep_versions: int = Field(5, ge=1, description="versions whose tensors stay on disk")


class Settings(EmptyIsUnset, BaseSettings):
    """Errata's settings."""

    model_config = SettingsConfigDict(
        env_prefix="ERRATA_", env_nested_delimiter="__", env_file=".env", extra="ignore", validate_default=True
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    data_dir: Path = Field(Path("data"), description="everything Errata writes")
    model: str = Field(EMBEDDED, description="the served model: `embedded`, a local folder or a Hugging Face id")
    model_dir: Path = Field(Path("model"), description="where prepared models and statistics are kept")
    embedder: str = Field(EMBEDDED, description="the retrieval embedder: `embedded`, a local folder or an id")
    rebase: bool = Field(False, description="accept another base model: live edits become cards and are solved anew")
    checkpoint_dir: Path | None = Field(None, description="a second place for signed log checkpoints")
    policy: Path | None = Field(None, description="who must agree to what, as in `governance/policy.toml`; empty: that")
    fetch_evidence: bool = Field(
        True, description="may triage read the public addresses that reporters give as evidence?"
    )
    webhook_url: str | None = Field(None, description="told when a correction's outcome is known")
    admin_key: SecretStr | None = Field(None, description="API key of the account `admin`, at first start")
    admin_password: SecretStr | None = Field(None, description="password of `admin`, at first start")
    user_key: SecretStr | None = Field(None, description="API key of the account `user`, at first start")
    user_password: SecretStr | None = Field(None, description="password of `user`, at first start")
    url: str | None = Field(None, description="for commands: the server they talk to; empty: the one at host and port")
    api_key: SecretStr | None = Field(None, description="for commands: your key at that server")
    default_max_tokens: int = Field(512, ge=1, description="length limit of an answer that names none")
    max_request_mb: float = Field(32, gt=0, description="largest request body")
    secure_cookie: bool = Field(False, description="mark the session cookie Secure (behind HTTPS)")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="verbosity of process logs")
    engine: EngineSettings = EngineSettings()
    worker: WorkerSettings = WorkerSettings()

    @field_validator("data_dir", "model_dir", "checkpoint_dir", "policy")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().resolve() if path else path

    @property
    def database_path(self) -> Path:
        return self.data_dir / "errata.db"

    @property
    def keys_dir(self) -> Path:
        """Master key and log-signing key: apart from the database, so that a copy of one is useless without the other."""
        return self.data_dir / "keys"

    @property
    def checkpoint_dirs(self) -> tuple[Path, ...]:
        """Where the log's signed heads are written."""
        return (self.data_dir / "checkpoints", *([self.checkpoint_dir] if self.checkpoint_dir else []))

    @property
    def versions_dir(self) -> Path:
        return self.data_dir / "versions"

    @property
    def artefacts_dir(self) -> Path:
        return self.data_dir / "artefacts"

    @property
    def engine_dir(self) -> Path:
        """Everything that our own vLLM writes."""
        return self.data_dir / "engine"

    @property
    def statistics_dir(self) -> Path:
        """What is measured once of a model and kept with it."""
        return self.model_dir / "statistics"

    @property
    def base_url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_near(self) -> bool:
        """Do commands talk to this machine? No proxy stands before it, whatever its variables say."""
        host = urlsplit(self.url or "").hostname or ""
        try:
            return self.url is None or host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def weights_are_ours(self) -> bool:
        """May the publisher change the served weights?"""
        return self.engine.url is None or self.engine.weights == "ours"

    def faults(self) -> dict[str, str]:
        """What is wrong with each address that cannot be used; a command stops for those that it uses."""
        found = {
            "url": _fault_of_a_server(self.url) if self.url else None,
            "webhook_url": _fault(self.webhook_url) if self.webhook_url else None,
            "engine.url": _fault(self.engine.url) if self.engine.url else None,
        }
        return {name: refusal(name.split("."), why) for name, why in found.items() if why}

    def masked(self) -> dict[str, Any]:
        """Effective settings as JSON values; secrets show as asterisks."""
        return self.model_dump(mode="json")


def refusal(place: Sequence[str | int], why: str) -> str:
    """One setting that cannot be used, by both of its names; never its value, which may be a secret."""
    names = [str(part) for part in place]
    return f"{'.'.join(names)} (ERRATA_{'__'.join(names).upper()}): {why.removeprefix('Value error, ')}"


def variables() -> list[str]:
    """The name of every setting as a variable."""
    parts: dict[str, type[BaseModel]] = {"engine": EngineSettings, "worker": WorkerSettings}
    nested = [f"ERRATA_{part}__{name}" for part, kind in parts.items() for name in kind.model_fields]
    return [name.upper() for name in (*(f"ERRATA_{name}" for name in Settings.model_fields), *nested)]


def unread(environ: Mapping[str, str], env_file: Path = Path(".env")) -> dict[str, str | None]:
    """Each ERRATA_* variable, in the environment or the file, that is none of ours and so sets nothing, with the setting
    that may be meant."""
    known = {name.removeprefix("ERRATA_"): name for name in variables()}
    given = {name.upper() for name in (*environ, *dotenv_values(env_file)) if name.upper().startswith("ERRATA_")}
    others = [name for name in sorted(given - {*known.values()}) if not NO_SETTING.fullmatch(name)]
    near = {name: get_close_matches(name.removeprefix("ERRATA_"), known, 1, NEAR) for name in others}
    return {name: known[found[0]] if found else None for name, found in near.items()}


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """One line for each such variable."""
    return [
        f"{name} is no setting and is not read" + (f": is it {meant}?" if meant else "")
        for name, meant in unread(environ).items()
    ]
