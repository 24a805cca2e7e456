-- Durable jobs, the schedules that make them, events and what is counted from them.
--
-- A job is queued -> processing -> completed | failed | cancelled | dead. `processing` is a lease: it
-- belongs to lease_owner until lease_until_ms; then anybody may take the job again, so that a job runs
-- at least once, whoever dies. attempts counts the leases; when they are used up the job is dead and
-- stays there until somebody replays it. max_attempts 0: whoever takes it first says how many.
-- The indexes for leasing hold unfinished jobs alone, whatever the history weighs.

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER, -- NULL: of none
    user_id INTEGER NOT NULL, -- 0: of the system
    type TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'cancelled', 'dead')),
    priority INTEGER NOT NULL, -- higher first
    params TEXT NOT NULL, -- JSON
    result TEXT NOT NULL DEFAULT '', -- JSON or ''
    error TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at_ms INTEGER NOT NULL, -- not before
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    progress_done INTEGER NOT NULL DEFAULT 0,
    progress_total INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT, -- NULL: none
    created_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL DEFAULT 0, -- the last attempt
    finished_ms INTEGER NOT NULL DEFAULT 0 -- 0: not finished
) STRICT;
CREATE INDEX job_due ON job (type, priority DESC, run_at_ms) WHERE status = 'queued';
CREATE INDEX job_leased ON job (type, lease_until_ms) WHERE status = 'processing';
CREATE UNIQUE INDEX job_key ON job (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_status ON job (status); -- lists, by id
CREATE INDEX job_count ON job (status, type); -- lists, figures
CREATE INDEX job_finished ON job (finished_ms) WHERE finished_ms > 0; -- retention

CREATE TABLE job_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('error', 'warn', 'info', 'debug')),
    text TEXT NOT NULL
) STRICT;
CREATE INDEX job_log_job ON job_log (job_id, id);

CREATE TABLE schedule (
    name TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    params TEXT NOT NULL,
    every_s INTEGER NOT NULL CHECK (every_s > 0),
    next_ms INTEGER NOT NULL,
    enabled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One writer at a time: ids are in the order of commits, so that whoever reads "after id" misses none.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    type TEXT NOT NULL, -- 'image.added'
    project_id INTEGER, -- NULL: of none
    user_id INTEGER NOT NULL, -- 0: of the system
    subject TEXT NOT NULL,
    data TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX event_at ON event (at_ms);

-- How far each subscriber has come; it never goes back.
CREATE TABLE subscriber (
    name TEXT PRIMARY KEY,
    last_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE daily (
    day TEXT NOT NULL CHECK (length(day) = 10), -- YYYY-MM-DD
    project_id INTEGER NOT NULL, -- 0: of none
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (day, project_id, name)
) STRICT, WITHOUT ROWID;
