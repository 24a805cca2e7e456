-- A product catalogue per project, and what was searched for.
--
-- Prices are whole ten-thousandths of the currency's unit; NULL: no price is known. A product's picture
-- is an asset: several products may share one, and a product outlives its picture. index_state is also
-- the queue of pictures to fetch: it changes with the row, so a crash forgets none.
-- product_text indexes the words of the rows without a copy of them. Triggers must not write to it
-- (trusted_schema is off), so whoever changes a row's words does, in the same transaction; that is also
-- why rows do not go away by themselves with their project.

CREATE TABLE product (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    external_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    price_e4 INTEGER CHECK (price_e4 BETWEEN 0 AND 9999999999999),
    currency TEXT NOT NULL,
    image_url TEXT NOT NULL,
    metadata TEXT NOT NULL, -- a JSON object
    asset_id INTEGER REFERENCES asset (id) ON DELETE SET NULL,
    index_state INTEGER NOT NULL CHECK (index_state BETWEEN 0 AND 3), -- none, queued, indexed, failed
    index_error TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (project_id, external_id)
) STRICT;
-- One for each order of a list. What has no price comes last in either direction: two expressions, which
-- queries must use letter by letter.
CREATE INDEX product_project ON product (project_id);
CREATE INDEX product_title ON product (project_id, title COLLATE NOCASE);
CREATE INDEX product_price_up ON product (project_id, coalesce(price_e4, 10000000000000));
CREATE INDEX product_price_down ON product (project_id, coalesce(price_e4, -1));
CREATE INDEX product_created ON product (project_id, created_ms);
CREATE INDEX product_updated ON product (project_id, updated_ms);
-- All that facets count, without a look at the rows.
CREATE INDEX product_facets ON product (project_id, category, currency, price_e4);
CREATE INDEX product_asset ON product (asset_id) WHERE asset_id IS NOT NULL;
CREATE INDEX product_index_state ON product (index_state);

-- A product whose picture was removed is no longer indexed.
CREATE TRIGGER product_picture_lost AFTER UPDATE OF asset_id ON product
WHEN old.asset_id IS NOT NULL AND new.asset_id IS NULL AND new.index_state = 2
BEGIN
    UPDATE product SET index_state = 0 WHERE id = new.id;
END;

CREATE VIRTUAL TABLE product_text USING fts5 (
    title, description, category, external_id,
    content = 'product', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
-- Searches, as long as they are kept. query_key is query_text without what does not tell two queries
-- apart (case, blanks). No references: a log says what was, also of projects that are gone.
CREATE TABLE search_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    query_type TEXT NOT NULL CHECK (query_type IN ('text', 'image', 'mixed', 'similar')),
    query_text TEXT NOT NULL,
    query_key TEXT NOT NULL,
    query_image_url TEXT NOT NULL,
    results_count INTEGER NOT NULL,
    execution_time_ms INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    project_id INTEGER NOT NULL, -- 0: no single one
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX search_log_created ON search_log (created_ms);

-- What filters say of pictures by their products changes with these.
CREATE TRIGGER product_pictured AFTER INSERT ON product WHEN NEW.asset_id IS NOT NULL BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'changes';
END;
CREATE TRIGGER product_changed AFTER UPDATE OF asset_id, category, price_e4 ON product
WHEN NEW.asset_id IS NOT NULL OR OLD.asset_id IS NOT NULL BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'changes';
END;
CREATE TRIGGER product_gone AFTER DELETE ON product WHEN OLD.asset_id IS NOT NULL BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'changes';
END;
