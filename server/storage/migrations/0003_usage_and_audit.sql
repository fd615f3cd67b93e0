-- compatible-with: 3
-- When tokens were used, and what was done to them.

-- Apart from tokens, so that writing usage never waits for a revoke nor a
-- revoke for it; without a foreign key for the same reason. Only the day is
-- indexed: the updates within a day stay HOT, as the page has room for them.
CREATE TABLE token_usage (
  token_id uuid PRIMARY KEY,
  last_used_time timestamptz NOT NULL,
  old_secret_last_used_time timestamptz,
  last_used_day date NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX token_usage_by_day ON token_usage (last_used_day);

-- In commit order: seq is the number of the transaction's last change.
CREATE TABLE audit_log (
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  time timestamptz NOT NULL,
  action smallint NOT NULL,
  project text COLLATE "C" NOT NULL,
  token_id uuid NOT NULL,
  actor text NOT NULL,
  caller text NOT NULL,
  request_id text NOT NULL,
  details jsonb NOT NULL,
  PRIMARY KEY (seq, ordinal)
);

CREATE INDEX audit_log_by_project ON audit_log (project, seq, ordinal);
-- Finds where a start time is in the commit order.
CREATE INDEX audit_log_by_time ON audit_log (time);

-- Append-only even for the tables' owner, who is not bound by grants.
CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only'
    USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_log_is_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
