-- compatible-with: 6
-- A secret that was replaced is not the current one, be it dead or in its grace
-- period: so that a purge finds those, and passes over none of the many that
-- are dead because their token was revoked. What servers of the release before
-- replace meanwhile goes with its token.

UPDATE token_digests d SET is_current = false
WHERE is_current AND dead_at IS NOT NULL AND EXISTS (
  SELECT 1 FROM token_digests n
  WHERE n.token_id = d.token_id AND n.is_current AND n.digest <> d.digest
    AND (n.dead_at IS NULL OR n.dead_at > d.dead_at));

CREATE INDEX token_digests_replaced ON token_digests (LEAST(ends_at, dead_at))
  WHERE NOT is_current;

-- Finds what the servers of the release before look for in it: they purge no
-- secret until they are replaced, too.
DROP INDEX token_digests_by_end;

-- Nobody looks for tokens by it, and without it the first use of a day is a HOT
-- update, as all others are.
DROP INDEX token_usage_by_day;
