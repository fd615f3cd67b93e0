-- compatible-with: 5
-- What an index load reads: one row for each secret, live or dead, with all that
-- Validate needs to know of it. A join of token_digests and tokens says the
-- same, at four times the cost for ten million of them.

-- Scopes and metadata are texts, as the tables print them: most of a row's cost
-- would be to print them for every token anew.
CREATE TABLE index_entries (
  digest bytea NOT NULL,
  token_id uuid NOT NULL,
  project text COLLATE "C" NOT NULL,
  creator text NOT NULL,
  scopes text NOT NULL,
  metadata text NOT NULL,
  expire_time timestamptz NOT NULL,
  is_old boolean NOT NULL,
  dead_at timestamptz
);

-- What the rows have to be, by the tables that they are made of.
CREATE VIEW wanted_index_entries AS
SELECT d.digest, d.token_id, t.project, t.creator, t.scopes::text AS scopes,
  t.metadata::text AS metadata, LEAST(t.expire_time, d.ends_at) AS expire_time,
  NOT d.is_current AS is_old, LEAST(d.dead_at, t.revoke_time) AS dead_at
FROM token_digests d JOIN tokens t ON t.id = d.token_id;

-- Kept by triggers on both tables, so that whoever writes these, a server of
-- the release before too, writes it, and in the same transaction. On the tables
-- and not on the change log, whose rows are written while all other changes
-- wait. With the owner's rights, as the servers' role shall not write it. Whoever
-- changes a secret has its token's lock, so each sees the other table as it is.
CREATE FUNCTION add_index_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO index_entries
  SELECT w.* FROM added JOIN wanted_index_entries w USING (digest);
  RETURN NULL;
END
$$;

-- Changes the entries that are there, so that none comes back that a purge has
-- just deleted.
CREATE FUNCTION change_index_entries_of_digests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE index_entries e
  SET expire_time = w.expire_time, is_old = w.is_old, dead_at = w.dead_at
  FROM changed JOIN wanted_index_entries w USING (digest)
  WHERE e.digest = w.digest
    AND (e.expire_time, e.is_old, e.dead_at)
      IS DISTINCT FROM (w.expire_time, w.is_old, w.dead_at);
  RETURN NULL;
END
$$;

-- Most changes of a token are none of its entries'.
CREATE FUNCTION change_index_entries_of_tokens() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE index_entries e
  SET project = w.project, creator = w.creator, scopes = w.scopes,
    metadata = w.metadata, expire_time = w.expire_time, dead_at = w.dead_at
  FROM changed JOIN wanted_index_entries w ON w.token_id = changed.id
  WHERE e.digest = w.digest
    AND (e.project, e.creator, e.scopes, e.metadata, e.expire_time, e.dead_at)
      IS DISTINCT FROM (w.project, w.creator, w.scopes, w.metadata,
        w.expire_time, w.dead_at);
  RETURN NULL;
END
$$;

CREATE FUNCTION delete_index_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  DELETE FROM index_entries e USING deleted d WHERE e.digest = d.digest;
  RETURN NULL;
END
$$;

-- Nobody else's tables come first in these functions, nor their triggers.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['add_index_entries',
    'change_index_entries_of_digests', 'change_index_entries_of_tokens',
    'delete_index_entries']
  LOOP
    EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', name,
      current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', name);
  END LOOP;
END
$$;

-- Fills the table while changes go on, and then makes up for these: locks are
-- held for that only. Nothing is purged nor trimmed meanwhile (the numbers are
-- those of the servers' jobs), so every entry that changed is in the log.
SELECT pg_advisory_xact_lock((2003661689::bigint << 32) | job)
FROM generate_series(2, 4) job;

DO $$
DECLARE
  filled_to bigint;
BEGIN
  SELECT seq INTO filled_to FROM change_head;
  INSERT INTO index_entries TABLE wanted_index_entries;

  ALTER TABLE index_entries ADD PRIMARY KEY (digest);
  -- Finds the secrets that died last.
  CREATE INDEX index_entries_by_death ON index_entries (dead_at)
    WHERE dead_at IS NOT NULL;
  ANALYZE index_entries;

  LOCK TABLE tokens, token_digests IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM index_entries e USING token_digests d
  WHERE d.digest = e.digest AND d.token_id IN (
    SELECT token_id FROM change_log WHERE seq > filled_to);
  INSERT INTO index_entries
  SELECT * FROM wanted_index_entries WHERE token_id IN (SELECT token_id FROM change_log WHERE seq > filled_to);
END
$$;

CREATE TRIGGER token_digests_add_index_entries
  AFTER INSERT ON token_digests REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION add_index_entries();
CREATE TRIGGER token_digests_change_index_entries
  AFTER UPDATE ON token_digests REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION change_index_entries_of_digests();
CREATE TRIGGER tokens_change_index_entries
  AFTER UPDATE ON tokens REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION change_index_entries_of_tokens();
CREATE TRIGGER token_digests_delete_index_entries
  AFTER DELETE ON token_digests REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION delete_index_entries();
