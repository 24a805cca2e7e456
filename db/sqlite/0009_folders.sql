-- The folder that a picture was uploaded from, as whoever sent it named it: relative, 'holiday/rome', '' where
-- nobody did. Where its bytes lie on this machine is told by `source`.

ALTER TABLE asset ADD COLUMN folder TEXT NOT NULL DEFAULT '';
-- All that a count of folders asks of a picture, so that it reads this index alone; and what lies below a folder.
CREATE INDEX asset_folder ON asset (folder, project_id, type, state) WHERE folder <> '';
