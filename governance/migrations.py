"""The tables of this room, as SQL that can be pasted into sqlite3, applied once each."""

from sqlite_utils import Database, Migrations

MIGRATIONS = Migrations("governance")

# People, their sessions, and the operating system's users under pseudonyms.
ACCOUNTS = """
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    pseudonym TEXT NOT NULL UNIQUE,
    disabled INTEGER NOT NULL DEFAULT 0,
    created TEXT NOT NULL,
    password_hash TEXT,
    key_hash BLOB UNIQUE
) STRICT;
CREATE TABLE operators (name TEXT PRIMARY KEY, pseudonym TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    created TEXT NOT NULL,
    expires TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_account ON sessions(account_id);
"""

# All personal and conversational text, sealed under one key per person.
VAULT = """
CREATE TABLE person_keys (owner TEXT PRIMARY KEY, wrapped BLOB, created TEXT NOT NULL, erased TEXT) STRICT;
CREATE TABLE texts (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES person_keys(owner),
    kind TEXT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    commitment TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX texts_owner ON texts(owner, kind);
"""

# The append-only log and the inner nodes of its tree.
AUDIT = """
CREATE TABLE audit_entries (n INTEGER PRIMARY KEY, entry TEXT NOT NULL, leaf_hash BLOB NOT NULL) STRICT;
CREATE TABLE audit_nodes (
    level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;
CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;
CREATE TRIGGER audit_entries_no_replace BEFORE INSERT ON audit_entries
WHEN NEW.n <> (SELECT COALESCE(MAX(n), 0) + 1 FROM audit_entries)
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only: n must be the next number'); END;
CREATE TRIGGER audit_nodes_no_update BEFORE UPDATE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'audit_nodes is append-only'); END;
CREATE TRIGGER audit_nodes_no_delete BEFORE DELETE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'audit_nodes is append-only'); END;
"""

# What was answered, by which route and under which weights.
ANSWERS = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    title_text_id TEXT,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
) STRICT;
CREATE INDEX conversations_account ON conversations(account_id, updated DESC, id DESC);
CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    conversation_id TEXT,
    question_text_id TEXT,
    answer_text_id TEXT,
    passages_text_id TEXT,
    route TEXT NOT NULL,
    reason TEXT NOT NULL,
    weights_version TEXT NOT NULL,
    weights_version_end TEXT,
    index_generation INTEGER NOT NULL,
    active_edits INTEGER NOT NULL,
    finish_reason TEXT,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX answers_conversation ON answers(conversation_id, created, id);
CREATE INDEX answers_created ON answers(created, id);
CREATE INDEX answers_account ON answers(account_id, created);
"""

# Reports, their moves and approvals.
CORRECTIONS = """
CREATE TABLE corrections (
    id TEXT PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    reporter_pseudonym TEXT NOT NULL,
    reporter_role TEXT NOT NULL,
    answer_id TEXT,
    weights_version_at_report TEXT,
    index_generation INTEGER,
    claim_text_id TEXT NOT NULL,
    work_text_id TEXT NOT NULL,
    claim_key BLOB,
    subject_key BLOB,
    answer_key BLOB,
    category TEXT NOT NULL,
    remedy TEXT,
    volatile INTEGER,
    personal_data INTEGER NOT NULL DEFAULT 0,
    risk_tier TEXT NOT NULL,
    approvals_needed INTEGER NOT NULL,
    round INTEGER NOT NULL DEFAULT 1,
    fallback TEXT NOT NULL DEFAULT 'knowledge',
    priority INTEGER NOT NULL DEFAULT 1,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    probe_failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    appeals INTEGER NOT NULL DEFAULT 0,
    undo_requested INTEGER NOT NULL DEFAULT 0,
    artefact TEXT,
    edit TEXT NOT NULL DEFAULT '{}',
    report_sha256 TEXT,
    weights_version_before TEXT,
    weights_version_after TEXT,
    swap_pause_s REAL,
    live_since TEXT,
    review_due TEXT,
    duplicate_of TEXT,
    superseded_by TEXT,
    conflicts TEXT NOT NULL DEFAULT '[]',
    told TEXT,
    idempotency_hash BLOB
) STRICT;
CREATE INDEX corrections_created ON corrections(created DESC, id DESC);
CREATE INDEX corrections_status ON corrections(status, created DESC, id DESC);
CREATE INDEX corrections_reporter ON corrections(reporter_id, created DESC, id DESC);
CREATE INDEX corrections_claim ON corrections(claim_key);
CREATE INDEX corrections_subject ON corrections(subject_key, created);
CREATE INDEX corrections_answer ON corrections(answer_id);
CREATE UNIQUE INDEX corrections_idempotency ON corrections(reporter_id, idempotency_hash)
    WHERE idempotency_hash IS NOT NULL;
CREATE TABLE moves (
    correction_id TEXT NOT NULL REFERENCES corrections(id),
    ordinal INTEGER NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    actor_id TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, at TEXT NOT NULL,
    reason_text_id TEXT,
    entry INTEGER NOT NULL,
    PRIMARY KEY (correction_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX moves_at ON moves(at);
CREATE TABLE approvals (
    correction_id TEXT NOT NULL REFERENCES corrections(id),
    round INTEGER NOT NULL,
    actor_id TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, at TEXT NOT NULL,
    reason_text_id TEXT,
    PRIMARY KEY (correction_id, round, actor_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE claim_authors (
    correction_id TEXT NOT NULL REFERENCES corrections(id), actor_id TEXT NOT NULL,
    PRIMARY KEY (correction_id, actor_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, correction_id TEXT NOT NULL, seen TEXT
) STRICT;
"""

# Built weights versions and which of them is served.
VERSIONS = """
CREATE TABLE versions (
    id TEXT PRIMARY KEY,
    base_sha256 TEXT NOT NULL,
    artefacts TEXT NOT NULL,
    tensors_sha256 TEXT NOT NULL,
    created TEXT NOT NULL,
    summary TEXT NOT NULL,
    purged TEXT
) STRICT;
CREATE TABLE version_corrections (
    version_id TEXT NOT NULL REFERENCES versions(id), correction_id TEXT NOT NULL,
    PRIMARY KEY (version_id, correction_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_corrections_correction ON version_corrections(correction_id);
CREATE TABLE served_history (at TEXT PRIMARY KEY, version_id TEXT NOT NULL REFERENCES versions(id)) STRICT;
CREATE TABLE serving (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    desired TEXT NOT NULL REFERENCES versions(id),
    served TEXT REFERENCES versions(id),
    phase TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason_text_id TEXT,
    since TEXT NOT NULL
) STRICT;
"""

# Requests for erasure or rectification and their steps.
ERASURE = """
CREATE TABLE erasure_requests (
    id TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    due TEXT NOT NULL,
    law TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    account_id TEXT,
    filed_by TEXT NOT NULL,
    work_text_id TEXT NOT NULL,
    choices TEXT NOT NULL DEFAULT '[]',
    outcomes TEXT NOT NULL DEFAULT '[]',
    residual TEXT NOT NULL DEFAULT '{}',
    certificate TEXT NOT NULL DEFAULT '{}',
    told TEXT
) STRICT;
CREATE INDEX erasure_requests_status ON erasure_requests(status, due);
CREATE TABLE erasure_moves (
    request_id TEXT NOT NULL REFERENCES erasure_requests(id),
    ordinal INTEGER NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    at TEXT NOT NULL,
    note TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (request_id, ordinal)
) STRICT, WITHOUT ROWID;
"""

# The queue by due date and by priority.
QUEUE_ORDER = """
CREATE INDEX corrections_due ON corrections(due, id);
CREATE INDEX corrections_status_due ON corrections(status, due, id);
CREATE INDEX corrections_priority ON corrections(-priority, due, id);
CREATE INDEX corrections_status_priority ON corrections(status, -priority, due, id);
"""

# A turn that was asked again or edited stays on record, and another stands in its place.
REPLACED_TURNS = """
ALTER TABLE answers ADD COLUMN replaced_by TEXT;
ALTER TABLE answers ADD COLUMN place TEXT;
"""

# How long answers stood still at each swap.
SWAP_PAUSES = "ALTER TABLE served_history ADD COLUMN pause_s REAL;"

# Why an answer came by its route is sealed, since it may name a passage; older reasons lose the passage's title.
SEALED_REASONS = """
ALTER TABLE answers ADD COLUMN reason_text_id TEXT;
UPDATE answers
SET reason = substr(reason, 1, instr(reason, 'passage ') - 1) || 'a passage of the knowledge base has a say'
WHERE reason GLOB '*passage [''"]*';
"""

# What went back to the queue before named the edit of its former words.
STALE_EDITS = """
UPDATE corrections SET artefact = NULL, edit = '{}'
WHERE artefact IS NOT NULL AND status IN ('flagged', 'needs_evidence', 'queued', 'approved', 'rejected');
"""

# Why a live edit is to be undone, by what a report that is sent again is known, and whose card gave an answer.
UNDO_REASONS = """
ALTER TABLE corrections ADD COLUMN undo_reason_text_id TEXT;
ALTER TABLE corrections ADD COLUMN request_hash BLOB;
ALTER TABLE answers ADD COLUMN correction_id TEXT;
"""

# Reports in the queue whose new evidence no machine has looked at yet.
UNREAD_EVIDENCE = "CREATE TABLE unread_evidence (correction_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"


def _register(name: str, sql: str) -> None:
    @MIGRATIONS(name=name)
    def run(db: Database) -> None:
        db.executescript(sql)


for _name, _sql in (
    ("m001_accounts", ACCOUNTS),
    ("m002_vault", VAULT),
    ("m003_audit", AUDIT),
    ("m004_answers", ANSWERS),
    ("m005_corrections", CORRECTIONS),
    ("m006_versions", VERSIONS),
    ("m007_erasure", ERASURE),
    ("m008_queue_order", QUEUE_ORDER),
    ("m009_replaced_turns", REPLACED_TURNS),
    ("m010_swap_pauses", SWAP_PAUSES),
    ("m011_sealed_reasons", SEALED_REASONS),
    ("m012_stale_edits", STALE_EDITS),
    ("m013_unread_evidence", UNREAD_EVIDENCE),
    ("m014_undo_reasons", UNDO_REASONS),
):
    _register(_name, _sql)
