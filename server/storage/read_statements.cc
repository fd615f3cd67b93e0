// Statements of lists, jobs and operators.
#include "server/storage/statement_parts.h"
#include "server/storage/statements.h"

namespace wemasy::tokens::sql {

const Statement kFindToken{
    "find_token",
    "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now),"
    " found AS (SELECT " WEMASY_TOKEN_COLUMNS ", " WEMASY_USAGE_COLUMNS
    " FROM tokens t CROSS JOIN clock c" WEMASY_USAGE_JOINS
    " WHERE t.id = $1 AND t.project = $2)"
    " SELECT c.now, f.* FROM clock c LEFT JOIN found f ON true"};

// Scans a bounded number of tokens from the key on and filters those, so that
// the cost does not grow with the number of tokens. The first columns say where
// the scan ended and whether there are tokens beyond, also if none was left.
#define WEMASY_LIST_TOKENS(project_condition)                            \
  "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now),"        \
  " scanned AS MATERIALIZED (SELECT " WEMASY_TOKEN_COLUMNS               \
  "  FROM tokens t WHERE " project_condition                             \
  "  AND (t.create_time, t.id) < ($1::timestamptz, $2::uuid)"            \
  "  ORDER BY t.create_time DESC, t.id DESC LIMIT $3::bigint),"          \
  " page AS (SELECT " WEMASY_TOKEN_COLUMNS ", " WEMASY_USAGE_COLUMNS     \
  "  FROM scanned t CROSS JOIN clock c" WEMASY_USAGE_JOINS               \
  "  WHERE CASE $5::smallint WHEN 0 THEN true"                           \
  "   WHEN 1 THEN t.revoke_time IS NULL AND t.expire_time > c.now"       \
  "   WHEN 2 THEN t.revoke_time IS NULL AND t.expire_time <= c.now"      \
  "   ELSE t.revoke_time IS NOT NULL END"                                \
  "  AND ($6::text IS NULL OR t.creator = $6)"                           \
  "  AND ($7::timestamptz IS NULL"                                       \
  "   OR COALESCE(u.last_used_time, t.create_time) < $7)"                \
  "  AND ($8::timestamptz IS NULL OR t.expire_time < $8)"                \
  "  ORDER BY t.create_time DESC, t.id DESC LIMIT $4::bigint),"          \
  " last AS (SELECT s.create_time, s.id, EXISTS (SELECT 1 FROM tokens t" \
  "   WHERE " project_condition                                          \
  "   AND (t.create_time, t.id) < (s.create_time, s.id)) AS more"        \
  "  FROM (SELECT create_time, id FROM scanned"                          \
  "   ORDER BY create_time, id LIMIT 1) s)"                              \
  " SELECT c.now, l.create_time, l.id, l.more, p.*"                      \
  " FROM clock c LEFT JOIN last l ON true LEFT JOIN page p ON true"      \
  " ORDER BY p.create_time DESC, p.id DESC"

const Statement kListTokens{"list_tokens",
                            WEMASY_LIST_TOKENS("t.project = $9::text")};
// Of all projects; a plan of its own, as it uses another index.
const Statement kListAllTokens{"list_all_tokens",
                               WEMASY_LIST_TOKENS("$9::text IS NULL")};

// The index on time finds where to start; an hour earlier, in case that the
// database's clock was set back.
#define WEMASY_LIST_AUDIT(project_condition)                             \
  "SELECT seq, ordinal, time, action, project, token_id, actor, caller," \
  " request_id, details FROM audit_log"                                  \
  " WHERE " project_condition                                            \
  " AND (seq, ordinal) > ($2, $3)"                                       \
  " AND time >= $4::timestamptz"                                         \
  " AND seq >= COALESCE((SELECT a.seq FROM audit_log a"                  \
  "  WHERE a.time >= $4::timestamptz - interval '1 hour'"                \
  "  ORDER BY a.time, a.seq LIMIT 1), 0)"                                \
  " ORDER BY seq, ordinal LIMIT $5::bigint"

const Statement kListAudit{"list_audit", WEMASY_LIST_AUDIT("project = $1")};
const Statement kListAllAudit{"list_all_audit",
                              WEMASY_LIST_AUDIT("$1::text IS NULL")};

const Statement kReadSealingKey{
    "read_sealing_key",
    "SELECT key FROM sealing_keys ORDER BY id DESC LIMIT 1"};

// In the order of ids, so that two replicas never wait for each other; times
// only ever rise. Tokens that were purged in the meantime get no row.
const Statement kRecordUses{
    "record_uses",
    "INSERT INTO token_usage AS o (token_id, last_used_time,"
    " old_secret_last_used_time, last_used_day)"
    " SELECT n.id, n.used, n.old_used, (n.used AT TIME ZONE 'UTC')::date"
    " FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])"
    " AS n (id, used, old_used)"
    " WHERE EXISTS (SELECT 1 FROM tokens t WHERE t.id = n.id)"
    " ORDER BY n.id"
    " ON CONFLICT (token_id) DO UPDATE SET"
    " last_used_time = GREATEST(o.last_used_time, excluded.last_used_time),"
    " old_secret_last_used_time = GREATEST(o.old_secret_last_used_time,"
    "  excluded.old_secret_last_used_time),"
    " last_used_day = GREATEST(o.last_used_day, excluded.last_used_day)"
    " WHERE excluded.last_used_time > o.last_used_time"
    " OR excluded.old_secret_last_used_time >"
    "  COALESCE(o.old_secret_last_used_time, '-infinity')"};

// Until the transaction ends. Another replica that is at the same job wins.
const Statement kTryMaintenanceLock{
    "try_maintenance_lock", "SELECT pg_try_advisory_xact_lock($1::bigint)"};

// The oldest rows up to the first that must be kept, so that no hole is made
// even if the clock was set back between two of them.
const Statement kTrimChangeLog{
    "trim_change_log",
    "WITH oldest AS MATERIALIZED (SELECT seq, commit_time FROM change_log"
    "  ORDER BY seq LIMIT 1000),"
    " acked AS (SELECT min(acked_seq) AS seq FROM replicas),"
    " kept AS (SELECT min(o.seq) AS seq FROM oldest o, acked a"
    "  WHERE o.seq > a.seq"
    "  OR o.commit_time > clock_timestamp() - $1::interval)"
    " DELETE FROM change_log l USING kept k"
    " WHERE l.seq <= (SELECT max(seq) FROM oldest)"
    " AND (k.seq IS NULL OR l.seq < k.seq)"};

// Locked, and looked at again after the lock, so that none comes back to life
// in between.
const Statement kLockDeadTokens{"lock_dead_tokens",
                                "SELECT id FROM tokens"
                                " WHERE LEAST(expire_time, revoke_time) <"
                                "  statement_timestamp() - $1::interval"
                                " ORDER BY LEAST(expire_time, revoke_time)"
                                " LIMIT 200 FOR UPDATE SKIP LOCKED"};

// All that hangs on the tokens first. A statement's parts see one snapshot,
// and foreign keys are checked at its end.
const Statement kDeleteTokens{
    "delete_tokens",
    "WITH doomed AS (SELECT unnest($1::uuid[]) AS id),"
    " requests_gone AS (DELETE FROM requests r USING doomed d"
    "  WHERE r.token_id = d.id),"
    " digests_gone AS (DELETE FROM token_digests s USING doomed d"
    "  WHERE s.token_id = d.id),"
    " usage_gone AS (DELETE FROM token_usage u USING doomed d"
    "  WHERE u.token_id = d.id)"
    " DELETE FROM tokens t USING doomed d WHERE t.id = d.id"};

// Never the last secret of a token, which stays its current one: that goes with
// its token.
const Statement kPurgeSecrets{
    "purge_secrets",
    "DELETE FROM token_digests WHERE digest IN ("
    " SELECT digest FROM token_digests WHERE NOT is_current"
    " AND LEAST(ends_at, dead_at) < statement_timestamp() - $1::interval"
    " LIMIT 1000)"};

// Says what was accepted, and takes the mark away that keeps replicas closed.
const Statement kAcceptLostHistory{
    "accept_lost_history",
    "WITH mark AS (SELECT lost_history FROM change_head FOR UPDATE)"
    " UPDATE change_head SET lost_history = NULL FROM mark"
    " RETURNING mark.lost_history"};

}  // namespace wemasy::tokens::sql
