-- Accounts. Passwords are argon2id strings; refresh tokens are kept as SHA-256 alone. A session holds
-- the hash of the token that is valid now and of the one before it: whoever shows the one before has
-- stolen one of the two, and the session ends. Names and addresses compare without case.

CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    email TEXT UNIQUE COLLATE NOCASE, -- NULL: none given
    password TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'user', 'guest')),
    active INTEGER NOT NULL DEFAULT 1,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    refresh BLOB NOT NULL CHECK (length(refresh) = 32),
    previous BLOB CHECK (length(previous) = 32),
    created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    agent TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user_id, created_ms);
CREATE UNIQUE INDEX session_refresh ON session (refresh);
CREATE INDEX session_previous ON session (previous);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    user_id INTEGER, -- NULL: nobody was signed in
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_user ON audit (user_id, id);
