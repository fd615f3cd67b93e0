// Pieces that several statements share. Macros, so that the statements are
// literals and can be read in one piece.
#ifndef WEMASY_SERVER_STORAGE_STATEMENT_PARTS_H_
#define WEMASY_SERVER_STORAGE_STATEMENT_PARTS_H_

// The server's timeline. Right on the first read after a promotion, and needs
// no privilege, neither of which pg_control_checkpoint() can say.
#define WEMASY_TIMELINE "left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"

// What ReadRecord() reads, the first part: of `tokens t`.
#define WEMASY_TOKEN_COLUMNS                                              \
  "t.id, t.project, t.display_name, t.description, t.scopes, t.metadata," \
  " t.creator, t.create_time, t.expire_time, t.revoke_time, t.revoker,"   \
  " t.revoke_reason, t.revoke_comment, t.hint, t.revision"

// The second part, kept apart from tokens; with its joins, which need a
// `clock c`. An old secret that does not work any more has no end to show.
#define WEMASY_USAGE_COLUMNS \
  "u.last_used_time, u.old_secret_last_used_time, o.ends_at AS old_ends_at"
#define WEMASY_USAGE_JOINS                                   \
  " LEFT JOIN token_usage u ON u.token_id = t.id"            \
  " LEFT JOIN LATERAL ("                                     \
  "  SELECT max(LEAST(x.ends_at, t.expire_time)) AS ends_at" \
  "  FROM token_digests x WHERE x.token_id = t.id"           \
  "  AND NOT x.is_current AND x.dead_at IS NULL"             \
  "  AND LEAST(x.ends_at, t.expire_time) > c.now"            \
  "  AND t.revoke_time IS NULL) o ON true"

// What TokenRowArrays() gives, as rows r.
#define WEMASY_TOKEN_ROWS                                              \
  "unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]," \
  " $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[],"     \
  " $10::timestamptz[], $11::text[], $12::smallint[], $13::text[],"    \
  " $14::text[], $15::bigint[]) AS r (id, project, display_name,"      \
  " description, scopes, metadata, creator, create_time, expire_time," \
  " revoke_time, revoker, revoke_reason, revoke_comment, hint, revision)"

// What ReadEntry() reads.
#define WEMASY_ENTRY_COLUMNS                                           \
  "digest, token_id, project, creator, scopes, metadata, expire_time," \
  " is_old, dead_at"

#endif  // WEMASY_SERVER_STORAGE_STATEMENT_PARTS_H_
