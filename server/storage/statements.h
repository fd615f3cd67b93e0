// The SQL of the running service, in one place; what makes a session or a load
// fit for use is with the code that does so.
//
// A statement is prepared under its name, which is also what the log shows, and
// used with parameters only. The texts of a load lack their end, which says
// what part of the table is read.
#ifndef WEMASY_SERVER_STORAGE_STATEMENTS_H_
#define WEMASY_SERVER_STORAGE_STATEMENTS_H_

namespace wemasy::tokens {

struct Statement {
  const char* name;
  const char* sql;
};

// What change_log's readers listen to.
inline constexpr char kChangeChannel[] = "wemasy_changes";

namespace sql {

// Transactions of the token store.
extern const Statement kLockProject;
extern const Statement kInsertProject;
extern const Statement kCountActiveTokens;
extern const Statement kLockToken;
extern const Statement kReadLockedToken;
extern const Statement kLockTokens;
extern const Statement kReadLockedTokens;
extern const Statement kMatchDigests;
extern const Statement kFindRequest;
extern const Statement kInsertTokens;
extern const Statement kUpdateTokens;
extern const Statement kKillSecrets;
extern const Statement kUpdateSecrets;
extern const Statement kInsertSecrets;
extern const Statement kWriteRequest;
extern const Statement kAppendChanges;
extern const Statement kListReplicas;

// Reads of the token store.
extern const Statement kFindToken;
extern const Statement kListTokens;
extern const Statement kListAllTokens;
extern const Statement kListAudit;
extern const Statement kListAllAudit;
extern const Statement kReadSealingKey;

// Replicas.
extern const Statement kReadHead;
extern const Statement kRegisterReplica;
extern const Statement kRenewReplica;
extern const Statement kAdoptTimeline;
extern const Statement kMarkHistoryLost;
extern const Statement kDeleteReplica;
extern const Statement kReapReplica;

extern const Statement kExportSnapshot;
// Of a cursor, without parameters: a condition follows the first, which ends in
// "ctid", and a limit the second.
extern const char kLoadLiveEntries[];
extern const char kLoadDeadEntries[];

// Jobs.
extern const Statement kRecordUses;
extern const Statement kTrimChangeLog;
extern const Statement kLockDeadTokens;
extern const Statement kDeleteTokens;
extern const Statement kPurgeSecrets;
extern const Statement kTryMaintenanceLock;

// Operators.
extern const Statement kAcceptLostHistory;

}  // namespace sql
}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_STATEMENTS_H_
