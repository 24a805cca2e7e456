-- Assets of any type. A version keeps the name that its asset had while it was the current one, as it does
-- the metadata; its number is its place among its asset's, and the current one is the last.

ALTER TABLE version ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE version SET name = (SELECT name FROM asset WHERE asset.id = asset_id);

-- A project's assets by id.
CREATE INDEX asset_list ON asset (project_id, id);
