-- compatible-with: 2
-- The change log and the replicas that follow it.

-- The number of the last change. A row and no sequence: whoever numbers a
-- change holds the row's lock until its commit, so that the numbers have no
-- gaps and become visible in their order.
CREATE TABLE change_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq bigint NOT NULL,
  -- What is known of a loss of history that no operator has accepted yet.
  lost_history text
);

INSERT INTO change_head (seq) VALUES (0);

-- Updated by every change: room on the page keeps the updates HOT.
ALTER TABLE change_head SET (
  fillfactor = 10,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_scale_factor = 0
);

-- Self-contained: a replica applies a row without a look at other tables, so
-- what a token became later cannot leak into an earlier change.
CREATE TABLE change_log (
  seq bigint PRIMARY KEY,
  operation smallint NOT NULL,
  commit_time timestamptz NOT NULL,
  digest bytea,
  token_id uuid,
  project text COLLATE "C",
  creator text,
  scopes text[],
  metadata jsonb,
  expire_time timestamptz,
  dead_at timestamptz,
  is_old boolean
);

-- One row for each index in memory. A replica draws a new id for each load.
CREATE TABLE replicas (
  id text COLLATE "C" PRIMARY KEY,
  renewals bigint NOT NULL DEFAULT 0,
  acked_seq bigint NOT NULL DEFAULT 0,
  timeline text COLLATE "C" NOT NULL,
  -- The newest change operation that the replica can read.
  max_operation smallint NOT NULL,
  -- For people only: leases are measured by each process's own clock.
  renew_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE replicas SET (
  fillfactor = 20,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_scale_factor = 0
);
