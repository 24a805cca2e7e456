-- Pages by date: when a picture was taken or, where that is not known, when its file was changed last. As an
-- expression this must stay letter for letter what the queries say (TAKEN in sqlite.h), or the index is not used.

CREATE INDEX version_taken ON version (
    (CASE WHEN taken_ms <> 0 THEN taken_ms ELSE mtime_ns / 1000000 END), asset_id
);
