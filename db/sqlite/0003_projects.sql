-- Projects belong to somebody, and what a picture carries for the service.
--
-- The table of projects is made anew: a name is unique among its owner's alone. Project 1 is there from the
-- first day without an owner: pictures that were added on the command line lie in it; whoever sets the
-- service up owns it from then on. An owner's `is_default` project takes what names no other.

CREATE TABLE project_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER REFERENCES user (id), -- NULL: nobody's
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    config TEXT NOT NULL DEFAULT '{}', -- a JSON object
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    is_default INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL DEFAULT 0,
    updated_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO project_new (id, name, is_default) SELECT id, name, id = 1 FROM project;
DROP TABLE project;
ALTER TABLE project_new RENAME TO project;
CREATE UNIQUE INDEX project_name ON project (owner_id, name COLLATE NOCASE);
CREATE INDEX idx_projects_user_status ON project (owner_id, status);

CREATE TABLE project_member (
    project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor')),
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_member_user ON project_member (user_id);

-- Who brought it; a JSON object of what its owner knows of it. A version keeps both as they were.
ALTER TABLE asset ADD COLUMN user_id INTEGER;
ALTER TABLE asset ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE version ADD COLUMN user_id INTEGER;
ALTER TABLE version ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE version ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
UPDATE version SET created_ms = (SELECT added_ms FROM asset WHERE asset.id = asset_id);
CREATE INDEX asset_project ON asset (project_id, state, id);

-- What people said of a picture: the words of the first service's feedback.
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    user_id INTEGER,
    action TEXT NOT NULL,
    note TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX feedback_asset ON feedback (asset_id, id);

-- What was PUT to a presigned link: a row is made when its bytes are stored, so each link is good once.
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    asset_id INTEGER -- what it became
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_expires ON upload (expires_ms);

-- Whose duplicates plan it is. State 0: a draft, to be reviewed.
ALTER TABLE plan ADD COLUMN user_id INTEGER;

-- Pages by when it was added, and by name.
CREATE INDEX asset_added ON asset (added_ms, id);
CREATE INDEX asset_name ON asset (name, id);
