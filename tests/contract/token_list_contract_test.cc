// The contract of TokenStore's reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/token/error.h"
#include "tests/contract/store_environment.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class TokenListContract : public TokenStoreContract {
 protected:
  // Stores a token of a display name, created `age` ago.
  TokenRecord Insert(absl::string_view name, absl::Duration age,
                     absl::string_view project = "demo") {
    TokenRecord record = MakeRecord(project);
    record.display_name = std::string(name);
    record.create_time = Now() - age;
    MustInsert(record, MakeSecret());
    return record;
  }
  TokenPage MustList(const TokenQuery& query) {
    auto page = store().List(query, Soon());
    EXPECT_OK(page);
    return page.ok() ? *std::move(page) : TokenPage();
  }
  static std::vector<std::string> NamesOf(const TokenPage& page) {
    std::vector<std::string> names;
    for (const TokenRecord& token : page.tokens) {
      names.push_back(token.display_name);
    }
    return names;
  }
  // All pages, each of at most `page_size`.
  std::vector<std::string> ListAll(TokenQuery query, int page_size) {
    query.page_size = page_size;
    std::vector<std::string> names;
    for (int pages = 0; pages < 1000; ++pages) {
      const TokenPage page = MustList(query);
      EXPECT_LE(page.tokens.size(), static_cast<size_t>(page_size));
      for (std::string& name : NamesOf(page)) names.push_back(std::move(name));
      if (!page.next) return names;
      query.after = page.next;
    }
    ADD_FAILURE() << "the list does not end";
    return names;
  }
  TokenQuery Demo() {
    TokenQuery query;
    query.project = Project("demo");
    return query;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, TokenListContract,
                         ::testing::ValuesIn(AllStores()), StoreName);

TEST_P(TokenListContract, NewestFirstAndOnlyTheProjects) {
  Insert("old", absl::Hours(3));
  Insert("new", absl::Hours(1));
  Insert("middle", absl::Hours(2));
  Insert("foreign", absl::Hours(2), "other");
  EXPECT_THAT(NamesOf(MustList(Demo())), ElementsAre("new", "middle", "old"));
  EXPECT_THAT(ListAll(TokenQuery(), 2),
              UnorderedElementsAre("new", "middle", "foreign", "old"));
  TokenQuery nobody;
  nobody.project = Project("nobody");
  const TokenPage empty = MustList(nobody);
  EXPECT_THAT(empty.tokens, IsEmpty());
  EXPECT_FALSE(empty.next.has_value());
  EXPECT_GT(empty.now, absl::UnixEpoch());
}

TEST_P(TokenListContract, PagesHaveEveryTokenOnceAndEndInTime) {
  Mutation create;
  std::vector<std::string> expected;
  const absl::Time now = Now();
  for (int i = 0; i < 12; ++i) {
    TokenRecord record = MakeRecord();
    record.display_name = absl::StrCat("token ", i);
    // Several of one time, which ids put in order.
    record.create_time = now - absl::Seconds(i / 4);
    create.inserted_tokens.push_back(record);
    expected.push_back(record.display_name);
  }
  MustWrite(create);
  const std::vector<std::string> all = ListAll(Demo(), 100);
  EXPECT_THAT(all, ::testing::UnorderedElementsAreArray(expected));
  for (const int page_size : {1, 3, 5, 12, 13}) {
    EXPECT_EQ(ListAll(Demo(), page_size), all) << page_size;
  }
  TokenQuery exact = Demo();
  exact.page_size = 12;
  EXPECT_FALSE(MustList(exact).next.has_value());
}

TEST_P(TokenListContract, FiltersByState) {
  Insert("active", absl::Hours(1));
  TokenRecord expired = MakeRecord();
  expired.display_name = "expired";
  expired.expire_time = expired.create_time + absl::Hours(1);
  MustInsert(expired, MakeSecret());
  TokenRecord revoked = MakeRecord();
  revoked.display_name = "revoked";
  revoked.expire_time = expired.expire_time;
  revoked.revocation = Revocation{Now(), "user-2", RevokeReason::kUnused, ""};
  MustInsert(revoked, MakeSecret());
  environment_->PassTime(absl::Hours(1));
  TokenQuery query = Demo();
  query.filter.state = TokenState::kActive;
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("active"));
  query.filter.state = TokenState::kExpired;
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("expired"));
  query.filter.state = TokenState::kRevoked;
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("revoked"));
}

TEST_P(TokenListContract, FiltersByCreatorUseAndExpiry) {
  const TokenRecord used = Insert("used", absl::Hours(48));
  Insert("never used", absl::Hours(48));
  Insert("young", absl::Hours(1));
  TokenRecord theirs = MakeRecord();
  theirs.display_name = "theirs";
  theirs.creator = "user-9";
  theirs.expire_time = Now() + absl::Hours(5);
  MustInsert(theirs, MakeSecret());
  const absl::Time minute = absl::FromUnixSeconds(
      absl::ToUnixSeconds(Now() - absl::Hours(2)) / 60 * 60);
  environment_->SetLastUsed(used.name.token, minute, minute - absl::Hours(1));

  TokenQuery query = Demo();
  query.filter.unused_since = Now() - absl::Hours(24);
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("never used"));
  query.filter.unused_since = minute + absl::Minutes(1);
  EXPECT_THAT(NamesOf(MustList(query)),
              UnorderedElementsAre("never used", "used"));
  query = Demo();
  query.filter.creator = "user-9";
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("theirs"));
  query = Demo();
  query.filter.expires_before = Now() + absl::Hours(6);
  EXPECT_THAT(NamesOf(MustList(query)), ElementsAre("theirs"));
  query.filter.creator = "user-1";
  EXPECT_THAT(NamesOf(MustList(query)), IsEmpty());

  const auto found = store().Find(used.name, Soon());
  ASSERT_OK(found);
  EXPECT_EQ(found->token->last_used_time, minute);
  EXPECT_EQ(found->token->old_secret_last_used_time, minute - absl::Hours(1));
}

TEST_P(TokenListContract, AFilteredPageLooksAtABoundedNumber) {
  Mutation create;
  const absl::Time now = Now();
  for (int i = 0; i < 45; ++i) {
    TokenRecord record = MakeRecord();
    record.create_time = now - absl::Seconds(i);
    record.display_name = absl::StrCat("token ", i);
    if (i == 25 || i == 26 || i == 44) record.creator = "rare";
    create.inserted_tokens.push_back(std::move(record));
  }
  MustWrite(create);
  TokenQuery query = Demo();
  query.page_size = 2;
  query.filter.creator = "rare";
  TokenPage page = MustList(query);
  // Twenty were looked at, and none is of that creator.
  EXPECT_THAT(page.tokens, IsEmpty());
  ASSERT_TRUE(page.next.has_value());
  EXPECT_EQ(page.next->create_time, now - absl::Seconds(19));
  query.after = page.next;
  page = MustList(query);
  EXPECT_THAT(NamesOf(page), ElementsAre("token 25", "token 26"));
  EXPECT_THAT(ListAll(query, 2),
              ElementsAre("token 25", "token 26", "token 44"));
}

TEST_P(TokenListContract, AnOldSecretsEndIsShownWhileItWorks) {
  TokenRecord record = MakeRecord();
  record.expire_time = record.create_time + absl::Hours(2);
  SecretRecord old = MakeSecret();
  MustInsert(record, old);
  old.is_current = false;
  old.ends_at = record.create_time + absl::Hours(3);
  Mutation rotate;
  rotate.updated_secrets = {old};
  rotate.inserted_secrets = {{record.name, MakeSecret()}};
  MustWrite(rotate);
  // Never past its token's own.
  EXPECT_EQ(MustList(Demo()).tokens[0].old_secret_expire_time,
            record.expire_time);
  Mutation kill;
  kill.dead_secrets = {{old.digest, Now()}};
  MustWrite(kill);
  EXPECT_FALSE(MustList(Demo()).tokens[0].old_secret_expire_time.has_value());
}

TEST_P(TokenListContract, AuditIsInCommitOrder) {
  const TokenRecord ours = MakeRecord("demo");
  const TokenRecord theirs = MakeRecord("other");
  const auto audit = [&](const TokenRecord& token, AuditAction action) {
    AuditRecord record;
    record.action = action;
    record.token = token.name;
    record.actor = "user-1";
    record.caller = "spiffe://test/ui";
    record.request_id = "call-1";
    record.details = {{"why", "\"quoted\""}};
    return record;
  };
  Mutation first;
  first.audit_records = {audit(ours, AuditAction::kCreated),
                         audit(theirs, AuditAction::kCreated),
                         audit(ours, AuditAction::kRevoked)};
  const CommitStamp stamp = MustWrite(first);
  Mutation second;
  second.audit_records = {audit(ours, AuditAction::kLeakRevoked)};
  MustWrite(second);

  AuditQuery query;
  query.project = Project("demo");
  query.page_size = 2;
  auto page = store().ListAudit(query, Soon());
  ASSERT_OK(page);
  ASSERT_THAT(page->records, SizeIs(2));
  EXPECT_TRUE(page->has_more);
  const AuditRecord& record = page->records[0];
  EXPECT_EQ(record.seq, stamp.seq);
  EXPECT_EQ(record.time, stamp.time);
  EXPECT_EQ(record.action, AuditAction::kCreated);
  EXPECT_TRUE(record.token == ours.name);
  EXPECT_EQ(record.actor, "user-1");
  EXPECT_EQ(record.caller, "spiffe://test/ui");
  EXPECT_EQ(record.request_id, "call-1");
  EXPECT_EQ(record.details.at("why"), "\"quoted\"");
  EXPECT_EQ(page->records[1].action, AuditAction::kRevoked);

  query.after = AuditPageKey{page->records[1].seq, page->records[1].ordinal};
  page = store().ListAudit(query, Soon());
  ASSERT_OK(page);
  ASSERT_THAT(page->records, SizeIs(1));
  EXPECT_EQ(page->records[0].action, AuditAction::kLeakRevoked);
  EXPECT_FALSE(page->has_more);

  AuditQuery all;
  page = store().ListAudit(all, Soon());
  ASSERT_OK(page);
  EXPECT_THAT(page->records, SizeIs(4));
  all.start_time = stamp.time;
  page = store().ListAudit(all, Soon());
  ASSERT_OK(page);
  EXPECT_THAT(page->records, SizeIs(4));
  all.start_time = stamp.time + absl::Hours(1);
  page = store().ListAudit(all, Soon());
  ASSERT_OK(page);
  EXPECT_THAT(page->records, IsEmpty());
}

TEST_P(TokenListContract, TheSealingKeyStaysTheSame) {
  const auto key = store().SealingKey(Soon());
  ASSERT_OK(key);
  EXPECT_EQ(key->Reveal().size(), 32u);
  const auto again = store().SealingKey(Soon());
  ASSERT_OK(again);
  EXPECT_TRUE(*key == *again);
}

}  // namespace
}  // namespace wemasy::tokens
