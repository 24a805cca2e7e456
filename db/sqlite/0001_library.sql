-- A Magpie library.
--
-- project -> asset (a named thing; an image is one type) -> version (immutable bytes by SHA-256).
-- Analysis hangs on the version: measures, pHashes (8 x 8 bytes, big-endian: the symmetries of the
-- square), and one vector per model and space. A source is a path where an asset's bytes were seen.
-- Ids are never used again (AUTOINCREMENT): what was deleted never comes back under its number.
-- vector.seq grows with every stored vector, so that an index can ask for what is new;
-- counter 'changes' moves with every commit, 'removals' when vectors went away or came back.

CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('changes', 0), ('removals', 0);

CREATE TABLE project (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO project (name) VALUES ('default');

CREATE TABLE asset (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    type TEXT NOT NULL DEFAULT 'image',
    name TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    state INTEGER NOT NULL DEFAULT 0, -- 0 present, 1 missing, 2 trashed
    added_ms INTEGER NOT NULL,
    version_id INTEGER -- the current one
) STRICT;
CREATE INDEX asset_state ON asset (state, id);

CREATE TABLE version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    path TEXT NOT NULL DEFAULT '',
    copied INTEGER NOT NULL,
    format TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    taken_ms INTEGER NOT NULL,
    phash BLOB NOT NULL CHECK (length(phash) = 64),
    sharpness REAL NOT NULL,
    brightness REAL NOT NULL,
    contrast REAL NOT NULL,
    entropy REAL NOT NULL,
    issues INTEGER NOT NULL
) STRICT;
CREATE INDEX version_asset ON version (asset_id);
CREATE INDEX version_sha256 ON version (sha256);

CREATE TABLE source (
    path TEXT PRIMARY KEY,
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    missing INTEGER NOT NULL DEFAULT 0,
    is_primary INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX source_asset ON source (asset_id);

CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;
CREATE TABLE asset_tag (
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag (id),
    PRIMARY KEY (asset_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_tag_tag ON asset_tag (tag_id);

CREATE TABLE vector (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    space TEXT NOT NULL,
    dims INTEGER NOT NULL,
    data BLOB NOT NULL, -- dims little-endian f32
    UNIQUE (asset_id, model, space)
) STRICT;
CREATE INDEX vector_key ON vector (model, space, seq);

CREATE TABLE verdict (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, -- 'pair', 'item' or 'note': a later one of a topic replaces the earlier
    kind INTEGER NOT NULL,
    a INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    b INTEGER REFERENCES asset (id) ON DELETE CASCADE,
    note TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX verdict_a ON verdict (a);
CREATE INDEX verdict_b ON verdict (b);

CREATE TABLE plan (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL, -- 1 applying, 2 applied, 3 undoing, 4 undone
    json TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE plan_step (
    plan_id INTEGER NOT NULL REFERENCES plan (id),
    number INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    keep_id INTEGER NOT NULL,
    from_path TEXT NOT NULL,
    to_path TEXT NOT NULL,
    merged TEXT NOT NULL,
    state INTEGER NOT NULL, -- 0 pending, 1 done, 2 skipped
    PRIMARY KEY (plan_id, number)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE item_text USING fts5 (
    name, title, description, tags,
    tokenize = 'porter unicode61 remove_diacritics 2'
);
