// Statements of the token store and of the replicas.
#include "server/storage/statements.h"

#include "server/storage/statement_parts.h"

namespace wemasy::tokens::sql {

// Creates of one project go one by one from here on, so that each sees the
// count that the one before it left. No key changes, so that the foreign keys'
// checks need not wait.
const Statement kLockProject{
    "lock_project", "SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE"};

// The platform owns projects: the first token makes one known.
const Statement kInsertProject{
    "insert_project",
    "INSERT INTO projects (id) VALUES ($1) ON CONFLICT DO NOTHING"};

// After the lock, in a snapshot of its own. The statement's start and not the
// clock bounds the index range, as only a stable value can.
const Statement kCountActiveTokens{
    "count_active_tokens",
    "SELECT count(*), clock_timestamp() FROM tokens"
    " WHERE project = $1 AND revoke_time IS NULL"
    " AND expire_time > statement_timestamp()"};

// In the order of ids, so that two transactions never wait for each other.
// Only ids come back: what the rows say is read after the locks were obtained.
#define WEMASY_LOCK_TOKENS(condition)                      \
  "WITH locked AS (SELECT id FROM tokens WHERE " condition \
  " ORDER BY id FOR NO KEY UPDATE)"                        \
  " SELECT count(*), clock_timestamp() FROM locked"

// One row for each live secret, or one without for a token that has none.
#define WEMASY_READ_LOCKED_TOKENS(condition)                       \
  "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)"   \
  " SELECT c.now, " WEMASY_TOKEN_COLUMNS ", " WEMASY_USAGE_COLUMNS \
  ", d.digest, d.version, d.is_current, d.ends_at"                 \
  " FROM tokens t CROSS JOIN clock c" WEMASY_USAGE_JOINS           \
  " LEFT JOIN token_digests d ON d.token_id = t.id"                \
  " AND d.dead_at IS NULL AND d.ends_at > c.now"                   \
  " WHERE " condition " ORDER BY t.id, d.is_current DESC"

// For a single one PostgreSQL keeps its plan. Of an array it does not know the
// length, and plans anew each time, which takes longer than all the rest.
const Statement kLockToken{
    "lock_token", WEMASY_LOCK_TOKENS("id = $1::uuid AND project = $2")};
const Statement kReadLockedToken{"read_locked_token",
                                 WEMASY_READ_LOCKED_TOKENS("t.id = $1::uuid")};

const Statement kLockTokens{"lock_tokens",
                            WEMASY_LOCK_TOKENS("id = ANY($1::uuid[])")};
const Statement kReadLockedTokens{
    "read_locked_tokens", WEMASY_READ_LOCKED_TOKENS("t.id = ANY($1::uuid[])")};

// Live and dead: a leak of a secret that is no longer used is still a match.
const Statement kMatchDigests{"match_digests",
                              "SELECT digest, token_id FROM token_digests"
                              " WHERE digest = ANY($1::bytea[])"};

const Statement kFindRequest{
    "find_request",
    "SELECT payload, token_id, issued, create_time FROM requests"
    " WHERE project = $1 AND request_id = $2"};

const Statement kInsertTokens{
    "insert_tokens",
    "INSERT INTO tokens (id, project, display_name, description, scopes,"
    " metadata, creator, create_time, expire_time, revoke_time, revoker,"
    " revoke_reason, revoke_comment, hint, revision)"
    " SELECT r.id, r.project, r.display_name, r.description,"
    " r.scopes::text[], jsonb_object(r.metadata::text[]), r.creator,"
    " r.create_time, r.expire_time, r.revoke_time, r.revoker,"
    " r.revoke_reason, r.revoke_comment, r.hint, r.revision"
    " FROM " WEMASY_TOKEN_ROWS};

// Leaves alone what never changes. By name: another project's token is none.
const Statement kUpdateTokens{
    "update_tokens",
    "UPDATE tokens t SET display_name = r.display_name,"
    " description = r.description, scopes = r.scopes::text[],"
    " metadata = jsonb_object(r.metadata::text[]),"
    " expire_time = r.expire_time, revoke_time = r.revoke_time,"
    " revoker = r.revoker, revoke_reason = r.revoke_reason,"
    " revoke_comment = r.revoke_comment, hint = r.hint,"
    " revision = r.revision"
    " FROM " WEMASY_TOKEN_ROWS " WHERE t.id = r.id AND t.project = r.project"};

// The first death counts.
const Statement kKillSecrets{
    "kill_secrets",
    "UPDATE token_digests d SET dead_at = COALESCE(d.dead_at, s.dead_at)"
    " FROM unnest($1::bytea[], $2::timestamptz[]) AS s (digest, dead_at)"
    " WHERE d.digest = s.digest"};

const Statement kUpdateSecrets{
    "update_secrets",
    "UPDATE token_digests d SET is_current = s.is_current,"
    " ends_at = s.ends_at"
    " FROM unnest($1::bytea[], $2::boolean[], $3::timestamptz[])"
    " AS s (digest, is_current, ends_at)"
    " WHERE d.digest = s.digest"};

const Statement kInsertSecrets{
    "insert_secrets",
    "INSERT INTO token_digests (digest, version, token_id, is_current,"
    " ends_at)"
    " SELECT * FROM unnest($1::bytea[], $2::smallint[], $3::uuid[],"
    " $4::boolean[], $5::timestamptz[])"};

// A repeated request issues anew: what it is about and when it was first made
// stay as they are. No row if another one, of another token, was first: only
// the project and the id are locked by neither.
const Statement kWriteRequest{
    "write_request",
    "INSERT INTO requests (project, request_id, payload, token_id, issued)"
    " VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (project, request_id) DO UPDATE SET issued = $5"
    " WHERE requests.payload = $3 AND requests.token_id = $4"};

// One statement, as all other mutations wait from the counter to the commit:
// split in four, 64 revokers had a p99 of 650 ms. The oldest replica's
// abilities come back with it, so that no further round trip is needed.
const Statement kAppendChanges{
    "append_changes",
    "WITH head AS ("
    "  UPDATE change_head SET seq = seq + $1::bigint"
    "  RETURNING seq, clock_timestamp() AS time"
    "), log AS ("
    "  INSERT INTO change_log (seq, operation, commit_time, digest, token_id,"
    "   project, creator, scopes, metadata, expire_time, dead_at, is_old)"
    "  SELECT head.seq - $1::bigint + c.ordinal, c.operation, head.time,"
    "   c.digest, c.token_id, c.project, c.creator, c.scopes::text[],"
    "   jsonb_object(c.metadata::text[]), c.expire_time, c.dead_at, c.is_old"
    "  FROM head, unnest($2::smallint[], $3::bytea[], $4::uuid[], $5::text[],"
    "   $6::text[], $7::text[], $8::text[], $9::timestamptz[],"
    "   $10::timestamptz[], $11::boolean[]) WITH ORDINALITY AS c (operation,"
    "   digest, token_id, project, creator, scopes, metadata, expire_time,"
    "   dead_at, is_old, ordinal)"
    "), audit AS ("
    "  INSERT INTO audit_log (seq, ordinal, time, action, project, token_id,"
    "   actor, caller, request_id, details)"
    "  SELECT head.seq, a.ordinal - 1, head.time, a.action, a.project,"
    "   a.token_id, a.actor, a.caller, a.request_id,"
    "   jsonb_object(a.details::text[])"
    "  FROM head, unnest($12::smallint[], $13::text[], $14::uuid[],"
    "   $15::text[], $16::text[], $17::text[], $18::text[]) WITH ORDINALITY"
    "   AS a (action, project, token_id, actor, caller, request_id, details,"
    "   ordinal)"
    ")"
    " SELECT seq, time, " WEMASY_TIMELINE
    ", (SELECT min(max_operation) FROM replicas),"
    " pg_notify('wemasy_changes', seq::text) FROM head"};

// On the session that committed, in a snapshot after the commit: whom the
// change has to reach.
const Statement kListReplicas{"list_replicas",
                              "SELECT id, COALESCE(lease_ttl_ms, 0)"
                              " FROM replicas ORDER BY id"};

// The state of the database, read first in the snapshot of a load.
const Statement kReadHead{"read_head", "SELECT seq, " WEMASY_TIMELINE
                                       ", lost_history FROM change_head"};

// What a load saw on another timeline may have been lost with it.
const Statement kRegisterReplica{
    "register_replica",
    "INSERT INTO replicas (id, timeline, max_operation, lease_ttl_ms)"
    " SELECT $1, $2, $3::smallint, $4::integer"
    " WHERE " WEMASY_TIMELINE " = $2"};

// The head is the snapshot's, taken after the statement was sent: every change
// up to it is committed, and so is every change acknowledged before the
// sending. From the same snapshot are the next changes, a row for each, and the
// rows of all replicas, in the first row only, for those who wait for
// acknowledgements. All joins are outer ones, so that a row that was not
// renewed still gives an answer why.
const Statement kRenewReplica{
    "renew_replica",
    "WITH renewed AS ("
    "  UPDATE replicas SET renewals = renewals + 1,"
    "   acked_seq = GREATEST(acked_seq, $3::bigint),"
    "   renew_time = clock_timestamp()"
    "  WHERE id = $1 AND timeline = $2 AND " WEMASY_TIMELINE
    " = $2"
    "  RETURNING renewals, clock_timestamp() AS time"
    ")"
    " SELECT r.renewals, r.time, h.seq, h.lost_history, " WEMASY_TIMELINE
    " = $2,"
    " EXISTS (SELECT 1 FROM replicas WHERE id = $1 AND timeline <> $2),"
    " l.ids, l.renewals, l.acked, l.timelines, l.ttls,"
    " c.seq, c.operation, " WEMASY_ENTRY_COLUMNS
    " FROM change_head h LEFT JOIN renewed r ON true"
    " LEFT JOIN (SELECT *, row_number() OVER (ORDER BY seq) AS ordinal"
    "  FROM change_log WHERE seq > $4::bigint ORDER BY seq"
    "  LIMIT $5::bigint) c ON r.renewals IS NOT NULL"
    " LEFT JOIN (SELECT array_agg(id ORDER BY id) AS ids,"
    "  array_agg(renewals ORDER BY id) AS renewals,"
    "  array_agg(acked_seq ORDER BY id) AS acked,"
    "  array_agg(timeline ORDER BY id) AS timelines,"
    "  array_agg(COALESCE(lease_ttl_ms, 0) ORDER BY id) AS ttls"
    "  FROM replicas) l"
    "  ON COALESCE(c.ordinal, 1) = 1"
    " ORDER BY c.seq"};

// The renewals prove that the row as it was, and with it all that was applied
// before, reached this timeline. A row that is on it already, or on one in
// between, was moved by an earlier call whose outcome was not known.
// The same renewals prove it for a row that was reaped there.
const Statement kAdoptTimeline{
    "adopt_timeline",
    "WITH adopted AS (UPDATE replicas SET timeline = " WEMASY_TIMELINE
    ", renewals = renewals + 1, renew_time = clock_timestamp()"
    " WHERE id = $1 AND renewals >= $3::bigint"
    " AND (timeline IN ($2, " WEMASY_TIMELINE
    ") OR timeline BETWEEN $2 AND " WEMASY_TIMELINE
    ") RETURNING timeline, renewals)"
    " SELECT timeline, renewals, false FROM adopted UNION ALL"
    " SELECT '', renewals, true FROM reaped_replicas"
    " WHERE id = $1 AND renewals >= $3::bigint"};

// The first mark is the one that tells most.
const Statement kMarkHistoryLost{
    "mark_history_lost",
    "UPDATE change_head SET lost_history = COALESCE(lost_history, $1)"};

const Statement kDeleteReplica{"delete_replica",
                               "DELETE FROM replicas WHERE id = $1"};

// Compares and deletes: a replica that renewed in the meantime is alive. One
// that is cut off for longer than a week is told that history was lost.
const Statement kReapReplica{
    "reap_replica",
    "WITH reaped AS (DELETE FROM replicas WHERE id = $1 AND timeline = $2"
    " AND renewals = $3::bigint RETURNING id, renewals),"
    " forgotten AS (DELETE FROM reaped_replicas"
    " WHERE reap_time < clock_timestamp() - interval '7 days')"
    " INSERT INTO reaped_replicas (id, renewals)"
    " SELECT id, renewals FROM reaped"};

// For a second session to see what this one sees, and the page of index_entries
// from which on it reads. What a snapshot shows of a row is in one page, so
// that each is in one of the two parts.
const Statement kExportSnapshot{
    "export_snapshot",
    "SELECT pg_export_snapshot(), pg_relation_size('index_entries')"
    " / (2 * current_setting('block_size')::bigint)"};

// All that may still be used, or ended by itself not long ago: as long as the
// index keeps what has ended. A part of the pages follows.
const char kLoadLiveEntries[] =
    "SELECT " WEMASY_ENTRY_COLUMNS
    " FROM index_entries WHERE dead_at IS NULL"
    " AND expire_time > statement_timestamp() - interval '30 days' AND ctid ";

// The secrets that died last, so that their users learn why. A limit follows.
const char kLoadDeadEntries[] = "SELECT " WEMASY_ENTRY_COLUMNS
                                " FROM index_entries WHERE dead_at IS NOT NULL"
                                " ORDER BY dead_at DESC LIMIT ";

}  // namespace wemasy::tokens::sql
