/*
 * control_schema - the tables of control.db. The functions that read and write them are in the
 * modules of the families: control_citizen, account, control_service, request, session, passkey,
 * setting.
 */
#include "internal.h"

static const char *const steps[] = {
    "CREATE TABLE citizen ("
    "  id BLOB PRIMARY KEY CHECK (length(id) = 16),"
    "  reference TEXT UNIQUE,"
    "  wrapped BLOB CHECK (length(wrapped) = 64)," /* NULL once erased */
    "  key_version INTEGER NOT NULL CHECK (key_version >= 1),"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),"
    "  created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX citizen_unfinished ON citizen (state) WHERE state IN (1, 3, 5);"
    "CREATE TABLE population ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  count INTEGER NOT NULL CHECK (count >= 0)) STRICT;"
    "INSERT INTO population VALUES (1, 0);"

    "CREATE TABLE account ("
    "  citizen BLOB PRIMARY KEY CHECK (length(citizen) = 16),"
    "  login TEXT NOT NULL UNIQUE,"
    "  password_hash TEXT NOT NULL,"
    "  language TEXT NOT NULL,"
    "  failed_tries INTEGER NOT NULL DEFAULT 0,"
    "  failed_at_s INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"

    "CREATE TABLE service ("
    "  id TEXT PRIMARY KEY,"
    "  json TEXT NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE certificate ("
    "  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),"
    "  spki BLOB NOT NULL CHECK (length(spki) = 32),"
    "  owner TEXT NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),"
    "  added_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL,"
    "  PRIMARY KEY (kind, spki)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX certificate_by_owner ON certificate (kind, owner, added_s);"

    "CREATE TABLE request ("
    "  id TEXT PRIMARY KEY,"
    "  service TEXT NOT NULL,"
    "  code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),"
    "  json TEXT NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),"
    "  created_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL,"
    "  citizen BLOB CHECK (length(citizen) = 16),"
    "  consent_seq INTEGER NOT NULL DEFAULT 0,"
    "  tries INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX request_by_code ON request (code_hash) WHERE state = 1;"
    "CREATE INDEX request_by_service ON request (service) WHERE state = 1;"
    "CREATE INDEX request_by_citizen ON request (citizen, created_s) WHERE citizen IS NOT NULL;"
    "CREATE INDEX request_pending ON request (expires_s) WHERE state = 1;"
    "CREATE INDEX request_ended ON request (expires_s) WHERE state > 1;"

    "CREATE TABLE session ("
    "  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),"
    "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
    "  created_s INTEGER NOT NULL,"
    "  seen_s INTEGER NOT NULL,"
    "  reauthenticated_s INTEGER NOT NULL,"
    "  csrf_secret BLOB NOT NULL CHECK (length(csrf_secret) = 32)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX session_by_citizen ON session (citizen, seen_s);"
    "CREATE INDEX session_by_created ON session (created_s);"
    "CREATE INDEX session_by_seen ON session (seen_s);"

    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    "PRAGMA application_id = 1129735023;"
    "PRAGMA user_version = 1",

    /* Erasures of which the access log was not told yet. */
    "CREATE TABLE erasure ("
    "  citizen BLOB PRIMARY KEY CHECK (length(citizen) = 16),"
    "  openings INTEGER NOT NULL CHECK (openings >= 0)) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 2",

    /* How long the log was when one was about to be entered. */
    ("ALTER TABLE erasure ADD COLUMN entering_at INTEGER NOT NULL DEFAULT -1;"
     "PRAGMA user_version = 3"),

    /* The key that is taking the other's place, of the next version. */
    ("ALTER TABLE citizen ADD COLUMN next_wrapped BLOB CHECK (length(next_wrapped) = 64);"
     "PRAGMA user_version = 4"),

    /* Answers that are kept for repeated requests (reply.h), and how much of them there is. */
    "CREATE TABLE reply ("
    "  service TEXT NOT NULL,"
    "  key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),"
    "  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),"
    "  created_s INTEGER NOT NULL,"
    "  log_index INTEGER,"
    "  leaf BLOB NOT NULL CHECK (length(leaf) = 32),"
    "  sealed BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX reply_by_key ON reply (service, key_hash);"
    "CREATE INDEX reply_by_created ON reply (created_s);"
    "CREATE INDEX reply_by_log_index ON reply (log_index) WHERE log_index IS NOT NULL;"
    "CREATE TABLE reply_tally ("
    "  service TEXT PRIMARY KEY,"
    "  count INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER reply_comes AFTER INSERT ON reply BEGIN"
    "  INSERT INTO reply_tally VALUES (NEW.service, 1, length(NEW.sealed))"
    "  ON CONFLICT (service) DO UPDATE SET count = count + 1, bytes = bytes + length(NEW.sealed);"
    "END;"
    "CREATE TRIGGER reply_goes AFTER DELETE ON reply BEGIN"
    "  UPDATE reply_tally SET count = count - 1, bytes = bytes - length(OLD.sealed)"
    "  WHERE service = OLD.service;"
    "END;"
    "PRAGMA user_version = 5",

    /* Passkeys, and the last challenge that a session answered to make one. */
    ("CREATE TABLE passkey ("
     "  credential BLOB PRIMARY KEY CHECK (length(credential) BETWEEN 1 AND 1023),"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
     "  user BLOB NOT NULL CHECK (length(user) = 16),"
     "  algorithm INTEGER NOT NULL,"
     "  key BLOB NOT NULL,"
     "  sign_count INTEGER NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),"
     "  name TEXT NOT NULL,"
     "  created_s INTEGER NOT NULL,"
     "  used_s INTEGER NOT NULL,"
     "  challenge_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX passkey_by_citizen ON passkey (citizen, created_s);"
     "ALTER TABLE session ADD COLUMN challenge_ms INTEGER NOT NULL DEFAULT 0;"
     "PRAGMA user_version = 6"),

    /* Recovery codes and activation codes. */
    ("CREATE TABLE sign_in_code ("
     "  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
     "  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),"
     "  expires_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX sign_in_code_by_citizen ON sign_in_code (citizen, kind);"
     "PRAGMA user_version = 7"),

    /* Structures and their mediators; which structure has a mandate of which citizen, the citizen's
     * file being what counts; and printed codes that give one. */
    ("CREATE TABLE structure ("
     "  id TEXT PRIMARY KEY,"
     "  name TEXT NOT NULL,"
     "  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE mediator ("
     "  login TEXT PRIMARY KEY,"
     "  structure TEXT NOT NULL,"
     "  name TEXT NOT NULL,"
     "  password_hash TEXT NOT NULL,"
     "  failed_tries INTEGER NOT NULL DEFAULT 0,"
     "  failed_at_s INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
     "CREATE INDEX mediator_by_structure ON mediator (structure);"
     "CREATE TABLE mediator_session ("
     "  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),"
     "  login TEXT NOT NULL,"
     "  created_s INTEGER NOT NULL,"
     "  seen_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX mediator_session_by_login ON mediator_session (login, seen_s);"
     "CREATE TABLE mandate ("
     "  id TEXT PRIMARY KEY,"
     "  structure TEXT NOT NULL,"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX mandate_by_structure ON mandate (structure, id);"
     "CREATE INDEX mandate_by_citizen ON mandate (citizen);"
     "CREATE TABLE mandate_code ("
     "  code_hash BLOB PRIMARY KEY CHECK (length(code_hash) = 32),"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
     "  expires_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX mandate_code_by_citizen ON mandate_code (citizen);"
     "PRAGMA user_version = 8"),

    /* What citizens asked the city to see to. */
    ("CREATE TABLE open_case ("
     "  id TEXT PRIMARY KEY,"
     "  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),"
     "  citizen BLOB NOT NULL CHECK (length(citizen) = 16),"
     "  opened_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX open_case_by_kind ON open_case (kind, id);"
     "CREATE INDEX open_case_by_citizen ON open_case (citizen, kind);"
     "PRAGMA user_version = 9"),

    /* Auditors' looks at openings, by the index of each one's entry, and what they looked at. */
    ("CREATE TABLE look ("
     "  log_index INTEGER PRIMARY KEY,"
     "  time_ms INTEGER NOT NULL,"
     "  auditor TEXT NOT NULL,"
     "  reason TEXT NOT NULL,"
     "  opening BLOB NOT NULL) STRICT;"
     "CREATE TABLE look_entry ("
     "  entry INTEGER NOT NULL,"
     "  look INTEGER NOT NULL,"
     "  PRIMARY KEY (entry, look)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX look_entry_by_look ON look_entry (look, entry);"
     "CREATE TRIGGER look_goes AFTER DELETE ON look BEGIN"
     "  DELETE FROM look_entry WHERE look = OLD.log_index;"
     "END;"
     "PRAGMA user_version = 10"),

    /* Who wants to be told by e-mail that something is new. */
    ("CREATE TABLE digest ("
     "  citizen BLOB PRIMARY KEY CHECK (length(citizen) = 16),"
     "  address BLOB NOT NULL CHECK (length(address) BETWEEN 1 AND 282),"
     "  language TEXT NOT NULL,"
     "  every_s INTEGER NOT NULL CHECK (every_s > 0),"
     "  confirmed INTEGER NOT NULL CHECK (confirmed BETWEEN 0 AND 1),"
     "  code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),"
     "  stop BLOB NOT NULL UNIQUE CHECK (length(stop) = 16),"
     "  tries INTEGER NOT NULL,"
     "  failures INTEGER NOT NULL,"
     "  told_n INTEGER NOT NULL,"
     "  due_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX digest_by_due ON digest (confirmed, due_s);"
     "PRAGMA user_version = 11"),

    /* Until when a password lives that somebody else made; 0: it is the person's own. */
    ("ALTER TABLE account ADD COLUMN first_until_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator ADD COLUMN first_until_s INTEGER NOT NULL DEFAULT 0;"
     "PRAGMA user_version = 12"),

    /* What people are told of tries to sign in as them: those of all browsers since the last
     * success, and those before it; of mediators also since when there is their password. And when
     * a letter about signing in is due (0: none is), was sent, and last told of tries. */
    ("ALTER TABLE account ADD COLUMN wrong_tries INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE account ADD COLUMN wrong_at_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE account ADD COLUMN before_tries INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE account ADD COLUMN before_s INTEGER NOT NULL DEFAULT 0;"
     "CREATE INDEX account_by_wrong ON account (wrong_tries) WHERE wrong_tries > 0;"
     "ALTER TABLE mediator ADD COLUMN before_tries INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator ADD COLUMN before_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator ADD COLUMN password_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE digest ADD COLUMN urgent_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE digest ADD COLUMN urged_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE digest ADD COLUMN tried_s INTEGER NOT NULL DEFAULT 0;"
     "CREATE INDEX digest_by_urgent ON digest (urgent_s) WHERE urgent_s > 0;"
     "PRAGMA user_version = 13"),

    /* Mediators' passkeys beside the citizens'; when theirs last changed; and of their sessions
     * when they last showed who they are, whether by a passkey, and the last challenge answered to
     * make one. */
    ("CREATE TABLE passkey_of_either ("
     "  credential BLOB PRIMARY KEY CHECK (length(credential) BETWEEN 1 AND 1023),"
     "  citizen BLOB CHECK (length(citizen) = 16),"
     "  mediator TEXT,"
     "  user BLOB NOT NULL CHECK (length(user) = 16),"
     "  algorithm INTEGER NOT NULL,"
     "  key BLOB NOT NULL,"
     "  sign_count INTEGER NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),"
     "  name TEXT NOT NULL,"
     "  created_s INTEGER NOT NULL,"
     "  used_s INTEGER NOT NULL,"
     "  challenge_ms INTEGER NOT NULL,"
     "  CHECK ((citizen IS NULL) <> (mediator IS NULL))) STRICT, WITHOUT ROWID;"
     "INSERT INTO passkey_of_either SELECT credential, citizen, NULL, user, algorithm, key,"
     "  sign_count, name, created_s, used_s, challenge_ms FROM passkey;"
     "DROP TABLE passkey;"
     "ALTER TABLE passkey_of_either RENAME TO passkey;"
     "CREATE INDEX passkey_by_owner ON passkey (citizen, mediator, created_s);"
     "ALTER TABLE mediator ADD COLUMN passkeys_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator_session ADD COLUMN proved_s INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator_session ADD COLUMN by_passkey INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediator_session ADD COLUMN challenge_ms INTEGER NOT NULL DEFAULT 0;"
     "PRAGMA user_version = 14"),
};

static const struct database_kind control_kind = {
    .application_id = 1129735023, /* "CVco" */
    .settings = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192",
    .steps = steps,
    .step_count = sizeof steps / sizeof steps[0],
};

const struct shared_file control_file = {
    .name = "control.db",
    .what = "the control store",
    .label = STORE_CONTROL_KEY_LABEL,
    .kind = &control_kind,
};
