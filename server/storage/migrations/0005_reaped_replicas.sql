-- compatible-with: 4
-- The rows of replicas that were taken away by others. A replica that was cut
-- off for so long finds out from it that its row was reaped, not lost with
-- history in a failover: the renewals that it had prove it.
CREATE TABLE reaped_replicas (
  id text COLLATE "C" PRIMARY KEY,
  renewals bigint NOT NULL,
  reap_time timestamptz NOT NULL DEFAULT clock_timestamp()
);
