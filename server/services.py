"""Everything the gateway is made of, put together in one place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from governance.accounts import Accounts, NewAccount, Role
from governance.answers import Answers
from governance.audit import Log
from governance.checkpoints import Checkpoints
from governance.corrections import Status
from governance.errors import InvalidAccount, WrongKey
from governance.ledger import Ledger
from governance.notes import Signer
from governance.policy import Policy
from governance.store import Store
from governance.tombstones import Tombstones
from governance.vault import Vault, load_or_create_key
from governance.versions import Versions
from retrieval.embedder import Embedder, TransformerEmbedder, load_embedder
from retrieval.freshness import Freshness, FreshnessHead
from retrieval.retriever import HybridRetriever
from retrieval.sameness import SamenessMap
from retrieval.store import KnowledgeStore
from server.cards import CardIndex, card_of
from server.chat import Chat
from server.follow_ups import FollowUps
from server.metrics import Metrics
from server.previews import Previews
from server.router import Router
from server.serving import Serving
from server.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from server.engines.protocol import Engine


class FreshnessPredictor(Protocol):
    """Says of questions whether their answers change; `FreshnessHead` outside tests."""

    def predict(self, questions: Sequence[str]) -> list[Freshness]: ...


@dataclass(frozen=True, slots=True)
class Records:
    """The part that every process shares: the database and what is written in it."""

    store: Store
    vault: Vault
    log: Log
    accounts: Accounts
    answers: Answers
    ledger: Ledger
    versions: Versions
    policy: Policy
    tombstones: Tombstones
    signer: Signer
    checkpoints: Checkpoints


@dataclass(frozen=True, slots=True)
class Services:
    """One gateway."""

    settings: Settings
    records: Records
    engine: Engine
    embedder: Embedder
    knowledge: KnowledgeStore
    retriever: HybridRetriever
    freshness: FreshnessPredictor
    router: Router
    chat: Chat
    serving: Serving
    metrics: Metrics
    previews: Previews
    model_name: str

    @property
    def accounts(self) -> Accounts:
        return self.records.accounts


def open_records(settings: Settings) -> Records:
    """Open the data folder, and make it at the first start. Every command and process comes through here."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    os.chmod(settings.data_dir, 0o700)
    settings.keys_dir.mkdir(exist_ok=True, mode=0o700)
    store = Store(settings.database_path)
    store.migrate()
    vault = _open_vault(store, settings.keys_dir / "master.key")
    log = Log(store)
    policy = Policy.load(settings.policy)
    tombstones = Tombstones(settings.keys_dir / "tombstones.jsonl")  # apart: a restored backup must not lose them
    signer = Signer.load_or_create(settings.keys_dir / "log.key")
    ledger = Ledger(store, vault, log, policy)
    ledger.renew_keys()
    return Records(
        store=store,
        vault=vault,
        log=log,
        accounts=Accounts(store, log, vault),
        answers=Answers(store, vault, tombstones=tombstones),
        ledger=ledger,
        versions=Versions(store, log, vault),
        policy=policy,
        tombstones=tombstones,
        signer=signer,
        checkpoints=Checkpoints(log, signer, settings.checkpoint_dirs),
    )


def _open_vault(store: Store, key_path: Path) -> Vault:
    """The vault, once its key has opened something. Raises WrongKey, before a lost key could be replaced by a fresh one."""
    in_use = store.value("SELECT 1 FROM person_keys UNION ALL SELECT 1 FROM accounts LIMIT 1")
    if in_use and not key_path.exists():
        raise WrongKey(
            f"the vault's key is missing: {str(key_path)!r}. Put the key file back that this data folder was made with;"
            " without it no text can be read, so nothing is served"
        )
    vault = Vault(store, load_or_create_key(key_path))
    try:
        vault.check()
    except WrongKey as error:
        raise WrongKey(f"{str(key_path)!r} is not the key of this data folder, so nothing is served: {error}") from None
    return vault


def first_accounts(records: Records, settings: Settings) -> list[NewAccount]:
    """Create `admin` and `user` at the first start, both or neither; what was made is returned once, to be shown once.

    One is left out if its name is taken. What a start has made before is in the log and is not made again, whatever became
    of it. Raises InvalidAccount, naming the setting.
    """
    made = []
    with records.store.transaction():
        before = records.store.rows(
            "SELECT DISTINCT json_extract(entry, '$.role') AS role FROM audit_entries"
            " WHERE json_extract(entry, '$.kind') = 'account.added' AND json_extract(entry, '$.actor') = 'setup' LIMIT 2"
        )
        settled = {Role(row["role"]) for row in before}
        taken = {account.name for account in records.accounts.list()}
        for name, role, key, password in (
            ("admin", Role.ADMIN, settings.admin_key, settings.admin_password),
            ("user", Role.USER, settings.user_key, settings.user_password),
        ):
            if role in settled or name in taken:
                continue
            try:
                new = records.accounts.add(
                    name,
                    role,
                    key=key.get_secret_value() if key else None,
                    password=password.get_secret_value() if password else None,
                )
            except InvalidAccount as error:
                raise InvalidAccount(f"ERRATA_{name}_{error.param}".upper() + f": {error}", error.param) from None
            made.append(new)
    return made


def bootstrap(
    settings: Settings,
    engine: Engine,
    *,
    model_name: str,
    follow_ups_by_model: bool = False,
    embedder: Embedder | None = None,
    freshness: FreshnessPredictor | None = None,
) -> Services:
    """The one function that knows the real things. Tests hand in stand-ins."""
    records = open_records(settings)
    embedder = embedder or load_embedder(None if settings.embedder == EMBEDDED else settings.embedder)
    knowledge = KnowledgeStore(lambda: records.store.db, embedder)
    knowledge.migrate()
    retriever = HybridRetriever.over(knowledge)
    cards = CardIndex(
        load=records.ledger.cards,
        stamp=records.log.size,
        embedder=embedder,
        make=card_of,
        sameness=SamenessMap.load(),
        load_live=lambda: records.ledger.in_status(Status.LIVE),
    )
    router = Router(cards, retriever)
    serving, metrics = Serving(), Metrics()
    chat = Chat(
        engine=engine,
        follow_ups=FollowUps(engine, by_model=follow_ups_by_model),
        router=router,
        answers=records.answers,
        knowledge=knowledge,
        serving=serving,
        metrics=metrics,
        default_max_tokens=settings.default_max_tokens,
    )
    return Services(
        settings=settings,
        records=records,
        engine=engine,
        embedder=embedder,
        knowledge=knowledge,
        retriever=retriever,
        freshness=freshness or FreshnessHead.load(embedder=_minilm(embedder)),
        router=router,
        chat=chat,
        serving=serving,
        metrics=metrics,
        previews=Previews(settings),
        model_name=model_name,
    )


def _minilm(embedder: Embedder) -> TransformerEmbedder | None:
    """The embedder to share with the freshness head, which loads its own if this is another one."""
    return embedder if isinstance(embedder, TransformerEmbedder) else None
