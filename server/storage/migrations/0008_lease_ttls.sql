-- compatible-with: 6
-- How long the leases of a replica may last: whoever waits for one to end, to
-- confirm a change or to take the row away, goes by that, not by its own. Not
-- known of servers of the release before, whose leases are as long as those of
-- the servers that replace them.
ALTER TABLE replicas ADD COLUMN lease_ttl_ms integer
  CHECK (lease_ttl_ms > 0);
