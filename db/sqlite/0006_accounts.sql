-- The rest of the accounts: invitations, new passwords by e-mail, keys for machines, the keys that sign
-- access tokens. Whatever opens a door is kept as its SHA-256 alone; only the signing keys are whole,
-- because they are needed to sign.

-- A deleted account keeps its id, so that what points at it still means one somebody; nothing else.
ALTER TABLE user ADD COLUMN deleted_ms INTEGER;
-- What an action was done to: a user's id, a key's, an invitation's.
ALTER TABLE audit ADD COLUMN target_id INTEGER;

CREATE TABLE invite (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'user', 'guest')),
    email TEXT NOT NULL, -- '': whoever has the token chooses one
    created_by INTEGER NOT NULL REFERENCES user (id),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER, -- NULL: open
    used_by INTEGER REFERENCES user (id)
) STRICT;

CREATE TABLE password_reset (
    user_id INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL, -- between blanks
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, -- 0: never
    used_ms INTEGER NOT NULL -- 0: never; up to a minute late
) STRICT;
CREATE INDEX api_key_user ON api_key (user_id);

CREATE TABLE signing_key (
    kid TEXT PRIMARY KEY,
    key BLOB NOT NULL CHECK (length(key) = 32),
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('current', 'old')),
    retired_ms INTEGER NOT NULL -- 0 while it is current
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX signing_key_current ON signing_key (state) WHERE state = 'current';
