// The contract of TokenStore's transactions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/token/error.h"
#include "tests/contract/store_environment.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Stores, TokenStoreContract,
                         ::testing::ValuesIn(AllStores()), StoreName);

// Text that SQL, arrays, JSON and COPY each have a meaning for.
constexpr char kNastyText[] =
    "a'b\"c\\d{e,f}g\th\ni NULL \\N \xc3\xa9 \xf0\x9f\x94\x91 $1 \x01 %s";

TEST_P(TokenStoreContract, WhatIsStoredIsFoundAsItWas) {
  TokenRecord record = MakeRecord();
  record.display_name = kNastyText;
  record.description = kNastyText;
  record.metadata = {{"k", kNastyText}, {"empty", ""}, {"null", "NULL"}};
  record.creator = kNastyText;
  record.expire_time = record.create_time + absl::Hours(24 * 365 * 90);
  record.revocation =
      Revocation{record.create_time + absl::Microseconds(1), kNastyText,
                 RevokeReason::kCompromised, kNastyText};
  record.revision = 7;
  MustInsert(record, MakeSecret());

  const auto found = store().Find(record.name, Soon());
  ASSERT_OK(found);
  ASSERT_TRUE(found->token.has_value());
  const TokenRecord& token = *found->token;
  EXPECT_TRUE(token.name == record.name);
  EXPECT_EQ(token.display_name, record.display_name);
  EXPECT_EQ(token.description, record.description);
  EXPECT_EQ(token.scopes, record.scopes);
  EXPECT_EQ(token.metadata, record.metadata);
  EXPECT_EQ(token.creator, record.creator);
  EXPECT_EQ(token.create_time, record.create_time);
  EXPECT_EQ(token.expire_time, record.expire_time);
  ASSERT_TRUE(token.revocation.has_value());
  EXPECT_EQ(token.revocation->time, record.revocation->time);
  EXPECT_EQ(token.revocation->revoker, kNastyText);
  EXPECT_EQ(token.revocation->reason, RevokeReason::kCompromised);
  EXPECT_EQ(token.revocation->comment, kNastyText);
  EXPECT_EQ(token.hint, "abcd");
  EXPECT_EQ(token.revision, 7);

  const IndexEntry entry = environment_->Changes().back().entry;
  EXPECT_EQ(entry.metadata, record.metadata);
  EXPECT_EQ(entry.creator, kNastyText);
  EXPECT_EQ(entry.dead_at, record.revocation->time);
  EXPECT_EQ(entry.expire_time, record.expire_time);
}

TEST_P(TokenStoreContract, NoScopesNoMetadataNoExpiryStaySo) {
  TokenRecord record = MakeRecord();
  record.scopes = ScopeSet();
  record.metadata.clear();
  MustInsert(record, MakeSecret());
  const auto found = store().Find(record.name, Soon());
  ASSERT_OK(found);
  ASSERT_TRUE(found->token.has_value());
  EXPECT_EQ(found->token->scopes, ScopeSet());
  EXPECT_TRUE(found->token->metadata.empty());
  EXPECT_EQ(found->token->expire_time, absl::InfiniteFuture());
  EXPECT_FALSE(found->token->revocation.has_value());
  EXPECT_FALSE(found->token->last_used_time.has_value());
  EXPECT_FALSE(found->token->old_secret_expire_time.has_value());
}

TEST_P(TokenStoreContract, TimesAreCutToMicroseconds) {
  TokenRecord record = MakeRecord();
  record.expire_time =
      absl::FromUnixSeconds(4'000'000'000) + absl::Nanoseconds(1999);
  MustInsert(record, MakeSecret());
  const auto found = store().Find(record.name, Soon());
  ASSERT_OK(found);
  EXPECT_EQ(found->token->expire_time,
            absl::FromUnixSeconds(4'000'000'000) + absl::Microseconds(1));
}

TEST_P(TokenStoreContract, AnotherProjectsTokenIsNotFound) {
  const TokenRecord record = MakeRecord();
  MustInsert(record, MakeSecret());
  TokenName foreign = record.name;
  foreign.project = Project("other");
  const auto found = store().Find(foreign, Soon());
  ASSERT_OK(found);
  EXPECT_FALSE(found->token.has_value());
  EXPECT_FALSE(Lock(foreign).token.has_value());
  EXPECT_TRUE(Lock(record.name).token.has_value());
}

TEST_P(TokenStoreContract, AFailedBodyWritesNothing) {
  const auto failed = store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        EXPECT_OK(transaction.LockProject(Project()));
        return MakeError(ErrorReason::kActiveTokenLimit, "too many");
      });
  EXPECT_THAT(failed, HasReason(ErrorReason::kActiveTokenLimit));
  EXPECT_THAT(environment_->Changes(), SizeIs(0));
}

TEST_P(TokenStoreContract, EveryTransactionHasANumberWithoutAGap) {
  const CommitStamp first = MustWrite(Mutation());
  Mutation three;
  three.changes.resize(3);
  const CommitStamp second = MustWrite(three);
  const CommitStamp third = MustInsert(MakeRecord(), MakeSecret());
  EXPECT_EQ(first.seq, 1);
  EXPECT_EQ(second.seq, 4);
  EXPECT_EQ(third.seq, 5);
  EXPECT_LE(first.time, second.time);
  EXPECT_LE(first.returned_at, second.returned_at);
  EXPECT_THAT(first.timeline, SizeIs(8));
  const std::vector<Change> changes = environment_->Changes();
  ASSERT_THAT(changes, SizeIs(5));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(changes[i].seq, i + 1);
  EXPECT_EQ(changes[0].operation, ChangeOperation::kNoop);
  EXPECT_EQ(changes[4].operation, ChangeOperation::kPut);
}

TEST_P(TokenStoreContract, TheStampListsTheReplicas) {
  EXPECT_THAT(MustWrite(Mutation()).replicas, Optional(SizeIs(0)));
  environment_->ListReplica("r1", 2);
  EXPECT_THAT(MustWrite(Mutation()).replicas, Optional(ElementsAre("r1")));
}

TEST_P(TokenStoreContract, AChangeThatAReplicaCannotReadIsRefused) {
  environment_->ListReplica("old", 1);
  EXPECT_OK(Write(Mutation()));
  const TokenRecord record = MakeRecord();
  Mutation mutation;
  mutation.inserted_tokens = {record};
  Change change;
  change.operation = ChangeOperation::kPut;
  change.entry.name = record.name;
  mutation.changes = {change};
  EXPECT_THAT(Write(mutation), HasReason(ErrorReason::kReplicaTooOld));
  const auto found = store().Find(record.name, Soon());
  ASSERT_OK(found);
  EXPECT_FALSE(found->token.has_value());
}

TEST_P(TokenStoreContract, OnlyActiveTokensCount) {
  EXPECT_EQ(CountActive(), 0);
  const TokenRecord lasting = MakeRecord();
  TokenRecord brief = MakeRecord();
  brief.expire_time = brief.create_time + absl::Hours(1);
  MustInsert(lasting, MakeSecret());
  MustInsert(brief, MakeSecret());
  MustInsert(MakeRecord("other"), MakeSecret());
  EXPECT_EQ(CountActive(), 2);
  environment_->PassTime(absl::Hours(1));
  EXPECT_EQ(CountActive(), 1);
  Mutation revoke;
  revoke.updated_tokens = {lasting};
  revoke.updated_tokens[0].revocation =
      Revocation{Now(), "user-2", RevokeReason::kUnused, ""};
  MustWrite(revoke);
  EXPECT_EQ(CountActive(), 0);
  EXPECT_EQ(CountActive("other"), 1);
}

TEST_P(TokenStoreContract, ALockedTokenHasItsLiveSecretsTheCurrentFirst) {
  const TokenRecord record = MakeRecord();
  SecretRecord old = MakeSecret();
  MustInsert(record, old);
  const SecretRecord current = MakeSecret();
  old.is_current = false;
  old.ends_at = Now() + absl::Hours(1);
  Mutation rotate;
  rotate.updated_secrets = {old};
  rotate.inserted_secrets = {{record.name, current}};
  MustWrite(rotate);

  LockedToken locked = Lock(record.name);
  ASSERT_TRUE(locked.token.has_value());
  ASSERT_THAT(locked.token->secrets, SizeIs(2));
  EXPECT_EQ(locked.token->secrets[0].digest, current.digest);
  EXPECT_TRUE(locked.token->secrets[0].is_current);
  EXPECT_EQ(locked.token->secrets[0].ends_at, absl::InfiniteFuture());
  EXPECT_EQ(locked.token->secrets[1].digest, old.digest);
  EXPECT_FALSE(locked.token->secrets[1].is_current);
  EXPECT_EQ(locked.token->secrets[1].ends_at, old.ends_at);
  EXPECT_EQ(locked.token->record.old_secret_expire_time, old.ends_at);

  environment_->PassTime(absl::Hours(1));
  locked = Lock(record.name);
  ASSERT_THAT(locked.token->secrets, SizeIs(1));
  EXPECT_FALSE(locked.token->record.old_secret_expire_time.has_value());
  Mutation kill;
  kill.dead_secrets = {{current.digest, Now()}};
  MustWrite(kill);
  EXPECT_THAT(Lock(record.name).token->secrets, SizeIs(0));
}

TEST_P(TokenStoreContract, TokensAreMatchedByLiveAndDeadDigests) {
  const TokenRecord record = MakeRecord();
  const SecretRecord dead = MakeSecret();
  const SecretRecord current = MakeSecret();
  MustInsert(record, dead);
  Mutation reissue;
  reissue.dead_secrets = {{dead.digest, Now()}};
  reissue.inserted_secrets = {{record.name, current}};
  MustWrite(reissue);
  const TokenRecord other = MakeRecord("other");
  const SecretRecord others = MakeSecret();
  MustInsert(other, others);

  const TokenDigest unknown = MakeSecret().digest;
  const LockedTokens locked = Match(
      {others.digest, unknown, dead.digest, current.digest, others.digest});
  ASSERT_THAT(locked.tokens, SizeIs(3));
  EXPECT_EQ(locked.tokens[0].digest, others.digest);
  EXPECT_TRUE(locked.tokens[0].is_live);
  EXPECT_TRUE(locked.tokens[0].token.record.name == other.name);
  EXPECT_EQ(locked.tokens[1].digest, dead.digest);
  EXPECT_FALSE(locked.tokens[1].is_live);
  EXPECT_TRUE(locked.tokens[1].token.record.name == record.name);
  ASSERT_THAT(locked.tokens[1].token.secrets, SizeIs(1));
  EXPECT_EQ(locked.tokens[1].token.secrets[0].digest, current.digest);
  EXPECT_EQ(locked.tokens[2].digest, current.digest);
  EXPECT_TRUE(locked.tokens[2].is_live);
  EXPECT_GE(locked.now, record.create_time);
  EXPECT_GE(Match({unknown}).now, locked.now);
}

TEST_P(TokenStoreContract, TheFirstDeathOfASecretCounts) {
  const TokenRecord record = MakeRecord();
  const SecretRecord secret = MakeSecret();
  MustInsert(record, secret);
  Mutation kill;
  kill.dead_secrets = {{secret.digest, Now()}};
  MustWrite(kill);
  MustWrite(kill);
  EXPECT_FALSE(Match({secret.digest}).tokens[0].is_live);
}

TEST_P(TokenStoreContract, ARequestIsRememberedForItsProject) {
  const TokenRecord record = MakeRecord();
  Mutation mutation;
  mutation.inserted_tokens = {record};
  IssuedRequest request;
  request.project = Project();
  request.request_id = "0b3fe2b5";
  request.payload = TokenDigest::Of("payload");
  request.token = record.name.token;
  request.issued = TokenDigest::Of("first secret");
  mutation.request = request;
  MustWrite(mutation);
  // A retry changes what it issued, and nothing else.
  Mutation retry;
  retry.request = request;
  retry.request->issued = TokenDigest::Of("second secret");
  MustWrite(retry);
  // What is no retry changes nothing: of two at a time neither may have seen
  // the other.
  Mutation other = retry;
  other.request->payload = TokenDigest::Of("another payload");
  EXPECT_THAT(Write(other), HasReason(ErrorReason::kRequestIdReused));
  other = retry;
  other.inserted_tokens = {MakeRecord()};
  other.request->token = other.inserted_tokens[0].name.token;
  EXPECT_THAT(Write(other), HasReason(ErrorReason::kRequestIdReused));

  absl::optional<IssuedRequest> found, foreign, unknown;
  absl::Time now;
  EXPECT_OK(store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        now = transaction.LockProject(Project())->now;
        found = *transaction.FindRequest(Project(), "0b3fe2b5");
        foreign = *transaction.FindRequest(Project("other"), "0b3fe2b5");
        unknown = *transaction.FindRequest(Project(), "another");
        return Mutation();
      }));
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->payload == request.payload);
  EXPECT_TRUE(found->issued == TokenDigest::Of("second secret"));
  EXPECT_EQ(found->token, record.name.token);
  EXPECT_GE(found->time, record.create_time);
  EXPECT_LE(found->time, now);
  EXPECT_FALSE(foreign.has_value());
  EXPECT_FALSE(unknown.has_value());
}

TEST_P(TokenStoreContract, AnUpdateLeavesCreatorAndCreationAlone) {
  TokenRecord record = MakeRecord();
  MustInsert(record, MakeSecret());
  Mutation update;
  update.updated_tokens = {record};
  TokenRecord& updated = update.updated_tokens[0];
  updated.display_name = "renamed";
  updated.creator = "impostor";
  updated.create_time -= absl::Hours(1);
  updated.revision = 2;
  MustWrite(update);
  const auto found = store().Find(record.name, Soon());
  ASSERT_OK(found);
  EXPECT_EQ(found->token->display_name, "renamed");
  EXPECT_EQ(found->token->revision, 2);
  EXPECT_EQ(found->token->creator, "user-1");
  EXPECT_EQ(found->token->create_time, record.create_time);
}

TEST_P(TokenStoreContract, ABrokenMutationIsRefusedAsAWhole) {
  const TokenRecord record = MakeRecord();
  const SecretRecord secret = MakeSecret();
  MustInsert(record, secret);
  const size_t changes = environment_->Changes().size();
  const TokenRecord fresh = MakeRecord();

  Mutation duplicate_token;
  duplicate_token.inserted_tokens = {fresh, record};
  Mutation duplicate_digest;
  duplicate_digest.inserted_tokens = {fresh};
  duplicate_digest.inserted_secrets = {{fresh.name, secret}};
  Mutation two_current;
  two_current.inserted_tokens = {fresh};
  two_current.inserted_secrets = {{record.name, MakeSecret()}};
  Mutation unknown_token;
  unknown_token.inserted_tokens = {fresh};
  unknown_token.updated_tokens = {MakeRecord()};
  Mutation foreign_token = unknown_token;
  foreign_token.updated_tokens[0].name = {Project("other"), record.name.token};
  Mutation unknown_secret;
  unknown_secret.inserted_tokens = {fresh};
  unknown_secret.dead_secrets = {{MakeSecret().digest, Now()}};
  for (const Mutation* mutation :
       {&duplicate_token, &duplicate_digest, &two_current, &unknown_token,
        &foreign_token, &unknown_secret}) {
    EXPECT_THAT(Write(*mutation), HasReason(ErrorReason::kInternal));
    const auto found = store().Find(fresh.name, Soon());
    ASSERT_OK(found);
    EXPECT_FALSE(found->token.has_value());
  }
  EXPECT_THAT(environment_->Changes(), SizeIs(changes));
}

TEST_P(TokenStoreContract, ManyTokensAreChangedAtOnce) {
  std::vector<TokenRecord> records;
  Mutation create;
  std::vector<TokenDigest> digests;
  for (int i = 0; i < 1000; ++i) {
    TokenRecord record = MakeRecord();
    const SecretRecord secret = MakeSecret();
    create.inserted_tokens.push_back(record);
    create.inserted_secrets.push_back({record.name, secret});
    Change change;
    change.operation = ChangeOperation::kPut;
    change.entry = MakeIndexEntry(record, secret);
    create.changes.push_back(change);
    digests.push_back(secret.digest);
    records.push_back(std::move(record));
  }
  EXPECT_EQ(MustWrite(create).seq, 1000);
  const LockedTokens locked = Match(digests);
  ASSERT_THAT(locked.tokens, SizeIs(1000));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(locked.tokens[i].token.record.name == records[i].name);
  }
}

TEST_P(TokenStoreContract, APastDeadlineChangesNothing) {
  const BootTime past = environment_->clock().Now() - absl::Seconds(1);
  const auto refused =
      store().Transact(past, [](TokenTransaction&) -> absl::StatusOr<Mutation> {
        ADD_FAILURE() << "the body ran";
        return Mutation();
      });
  EXPECT_THAT(refused, HasReason(ErrorReason::kDeadlineTooShort));
  EXPECT_THAT(store().Find(MakeRecord().name, past),
              HasReason(ErrorReason::kDeadlineTooShort));
  EXPECT_THAT(store().List(TokenQuery(), past),
              HasReason(ErrorReason::kDeadlineTooShort));
  EXPECT_THAT(environment_->Changes(), SizeIs(0));
}

}  // namespace
}  // namespace wemasy::tokens
