// The index apart from the validator: what is shared, where it is, and what a
// shard does as it grows and shrinks.
#include "server/validate/token_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/validate/interner.h"
#include "server/validate/slot_pool.h"
#include "tests/support/entries.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// So many that every shard has some, and grows more than once.
constexpr int kMany = 40'000;

TEST(InternerTest, KeepsOneCopyAsLongAsSomebodyUsesIt) {
  Interner<std::string> interner;
  const std::string* const first = interner.Acquire("value");
  EXPECT_EQ(interner.Acquire(std::string("value")), first);
  EXPECT_NE(interner.Acquire("other"), first);
  EXPECT_EQ(interner.size(), 2U);
  interner.Release(first);
  EXPECT_EQ(*first, "value");
  interner.Release(first);
  EXPECT_EQ(interner.size(), 1U);
}

// Fault: count one user.
TEST(InternerTest, KeepsACopyForAllWhoWereToldOf) {
  Interner<std::string> interner;
  const std::string* const value = interner.Acquire("value", 2);
  EXPECT_EQ(interner.Acquire("value", 1), value);
  interner.Release(value);
  interner.Release(value);
  EXPECT_EQ(interner.size(), 1U);
  interner.Release(value);
  EXPECT_EQ(interner.size(), 0U);
}

TEST(InternerTest, ValuesStayWhereTheyAre) {
  Interner<std::string> interner;
  std::vector<const std::string*> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(interner.Acquire(absl::StrCat("value ", i)));
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(*values[i], absl::StrCat("value ", i));
  }
}

TEST(InternerTest, WeighsEachValueOnce) {
  Interner<std::string> interner([](const std::string& value) {
    return static_cast<int64_t>(value.size());
  });
  const std::string* const first = interner.Acquire("four");
  interner.Acquire("four");
  const std::string* const other = interner.Acquire("seventy");
  EXPECT_EQ(interner.weight(), 11);
  interner.Release(first);
  EXPECT_EQ(interner.weight(), 11);
  EXPECT_TRUE(interner.Has("four"));
  interner.Release(first);
  EXPECT_EQ(interner.weight(), 7);
  EXPECT_FALSE(interner.Has("four"));
  interner.Release(other);
  EXPECT_EQ(interner.weight(), 0);
}

TEST(SlotPoolTest, ValuesStayWhereTheyAre) {
  SlotPool<uint64_t> pool;
  std::vector<uint64_t*> values;
  // Of more than one piece.
  for (uint64_t i = 0; i < 600'000; ++i) values.push_back(pool.Take(i));
  for (uint64_t i = 0; i < values.size(); ++i) ASSERT_EQ(*values[i], i);
}

TEST(SlotPoolTest, WhatCameBackIsForTheNext) {
  SlotPool<int> pool;
  int* const first = pool.Take(1);
  int* const second = pool.Take(2);
  pool.GiveBack(first);
  EXPECT_EQ(pool.Take(3), first);
  EXPECT_EQ(*first, 3);
  EXPECT_EQ(*second, 2);
  EXPECT_NE(pool.Take(4), second);
}

class TokenIndexTest : public ::testing::Test {
 protected:
  IndexEntry MakeEntry() { return MakeTestToken(random_).entry; }

  std::vector<IndexEntry> Fill(int count) {
    std::vector<IndexEntry> entries(count);
    for (IndexEntry& entry : entries) {
      entry = MakeEntry();
      index_.Put(entry);
    }
    return entries;
  }

  bool Has(const IndexEntry& entry) {
    bool is_it = false;
    index_.Visit(entry.digest, [&](const IndexSlot& slot) {
      is_it = slot.token == entry.name.token &&
              slot.project->text() == entry.name.project.text() &&
              *slot.creator == entry.creator && *slot.scopes == entry.scopes;
    });
    return is_it;
  }

  void Use(const IndexEntry& entry, uint32_t minute) {
    EXPECT_TRUE(index_.Visit(
        entry.digest, [&](IndexSlot& slot) { slot.used_minute = minute; }));
  }

  FakeRandom random_;
  TokenIndex index_;
};

TEST_F(TokenIndexTest, FindsEachOfMany) {
  const std::vector<IndexEntry> entries = Fill(kMany);
  EXPECT_EQ(index_.size(), kMany);
  for (const IndexEntry& entry : entries) EXPECT_TRUE(Has(entry));
  EXPECT_FALSE(Has(MakeEntry()));
}

// Faults: count a value's users once for a batch, or for each entry; give all
// of a batch the same.
TEST_F(TokenIndexTest, ManyAtOnceAreAsOneByOne) {
  TokenIndex index([](const Metadata& metadata) {
    return metadata.empty() ? std::string() : metadata.begin()->second;
  });
  const std::vector<ScopeSet> scopes = {ScopeSet({"a:a"}), ScopeSet({"b:b"}),
                                        ScopeSet({"a:a"})};
  const std::vector<Metadata> metadata = {{{"tier", "gold"}},
                                          {{"tier", "tin"}}};
  std::vector<SharedEntry> entries(2000);
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].digest = TokenDigest::Of(absl::StrCat(i));
    entries[i].name = MakeEntry().name;
    entries[i].creator = absl::StrCat("user-", i % 7);
    entries[i].scopes = &scopes[i % scopes.size()];
    entries[i].metadata = &metadata[i % metadata.size()];
    entries[i].is_old = i % 5 == 0;
  }
  const auto check = [&] {
    for (const SharedEntry& entry : entries) {
      EXPECT_TRUE(index.Visit(entry.digest, [&](const IndexSlot& slot) {
        EXPECT_EQ(slot.token, entry.name.token);
        EXPECT_EQ(*slot.project, entry.name.project);
        EXPECT_EQ(*slot.creator, entry.creator);
        EXPECT_EQ(*slot.scopes, *entry.scopes);
        EXPECT_EQ(*slot.metadata, entry.metadata->begin()->second);
        EXPECT_EQ(slot.is_old, entry.is_old ? 1U : 0U);
      }));
    }
    const TokenIndex::Distinct distinct = index.distinct();
    EXPECT_EQ(distinct.projects, 1U);
    EXPECT_EQ(distinct.creators, 7U);
    EXPECT_EQ(distinct.scope_sets, 2U);
    EXPECT_EQ(distinct.metadata_sets, 2U);
  };
  const absl::Span<const SharedEntry> all = entries;
  std::thread other([&] { index.PutAll(all.subspan(1000)); });
  index.PutAll(all.subspan(0, 1000));
  other.join();
  check();

  // Those that are there are replaced.
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].scopes = &scopes[(i + 1) % scopes.size()];
  }
  index.PutAll(all);
  EXPECT_EQ(index.size(), 2000);
  check();

  // Every user has gone with them.
  index.Clear();
  EXPECT_EQ(index.distinct().scope_sets + index.distinct().metadata_sets, 0U);
  EXPECT_EQ(index.metadata_bytes(), 0);
}

TEST_F(TokenIndexTest, SharesWhatTokensHaveInCommon) {
  IndexEntry first = MakeEntry();
  IndexEntry second = MakeEntry();
  second.creator = "user-2";
  index_.Put(first);
  index_.Put(second);
  TokenIndex::Distinct distinct = index_.distinct();
  EXPECT_EQ(distinct.projects, 1U);
  EXPECT_EQ(distinct.creators, 2U);
  EXPECT_EQ(distinct.scope_sets, 1U);
  EXPECT_EQ(distinct.metadata_sets, 1U);

  // What nobody has any more is not kept.
  second.creator = "user-1";
  second.scopes = ScopeSet({"pages:read"});
  index_.Put(second);
  distinct = index_.distinct();
  EXPECT_EQ(distinct.creators, 1U);
  EXPECT_EQ(distinct.scope_sets, 2U);
  EXPECT_TRUE(Has(first));
  EXPECT_TRUE(Has(second));

  index_.Clear();
  distinct = index_.distinct();
  EXPECT_EQ(distinct.projects + distinct.creators + distinct.scope_sets +
                distinct.metadata_sets,
            0U);
  EXPECT_EQ(index_.size(), 0);
}

TEST_F(TokenIndexTest, MetadataCostsAsLongAsATokenHasIt) {
  TokenIndex index([](const Metadata& metadata) {
    std::string text;
    for (const auto& [key, value] : metadata) text += key + value;
    return text;
  });
  const auto put = [&](IndexEntry& entry, Metadata metadata) {
    entry.metadata = std::move(metadata);
    index.Put(entry);
  };
  constexpr int64_t kNode = TokenIndex::kMetadataNodeBytes;
  const Metadata gold = {{"tier", "gold"}};
  const Metadata silver = {{"tier", "silver"}};
  IndexEntry first = MakeEntry();
  IndexEntry second = MakeEntry();
  EXPECT_EQ(index.metadata_bytes(), 0);
  EXPECT_FALSE(index.HasMetadata(gold));
  put(first, gold);
  EXPECT_EQ(index.metadata_bytes(), kNode + 8);
  EXPECT_TRUE(index.HasMetadata(gold));
  // Shared, it costs nothing more, nor does what is said again.
  put(second, gold);
  put(second, gold);
  EXPECT_EQ(index.metadata_bytes(), kNode + 8);
  // One changes, then the other.
  put(second, silver);
  EXPECT_EQ(index.metadata_bytes(), 2 * kNode + 18);
  put(first, silver);
  EXPECT_EQ(index.metadata_bytes(), kNode + 10);
  EXPECT_FALSE(index.HasMetadata(gold));
  EXPECT_TRUE(index.HasMetadata(silver));

  // The dead have it until they are forgotten.
  put(second, gold);
  second.dead_at = kNow - absl::Hours(2);
  index.Put(second);
  EXPECT_EQ(index.metadata_bytes(), 2 * kNode + 18);
  index.EvictDead(kNow, absl::Hours(1), /*max_dead=*/0);
  EXPECT_EQ(index.metadata_bytes(), kNode + 10);
  index.Clear();
  EXPECT_EQ(index.metadata_bytes(), 0);
  EXPECT_FALSE(index.HasMetadata(silver));
}

TEST_F(TokenIndexTest, EvictionLeavesTheOthersAndTheirUses) {
  std::vector<IndexEntry> entries = Fill(kMany);
  for (size_t i = 0; i < entries.size(); ++i) {
    Use(entries[i], 100);
    if (i % 3 != 0) continue;
    entries[i].dead_at = kNow - absl::Hours(2);
    index_.Put(entries[i]);
  }
  const TokenIndex::Census census =
      index_.EvictDead(kNow, absl::Hours(1), /*max_dead=*/0);
  EXPECT_EQ(census.live, kMany - (kMany + 2) / 3);
  EXPECT_EQ(census.dead, 0);
  EXPECT_EQ(index_.size(), census.live);
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(Has(entries[i]), i % 3 != 0);
  }
  // Once each, and none of those that are gone.
  std::vector<TokenUse> uses = index_.DrainUses();
  EXPECT_THAT(uses, SizeIs(census.live));
  EXPECT_THAT(index_.DrainUses(), IsEmpty());
  Use(entries[1], 101);
  uses = index_.DrainUses();
  ASSERT_THAT(uses, SizeIs(1));
  EXPECT_EQ(uses[0].token, entries[1].name.token);
}

TEST_F(TokenIndexTest, AChangeKeepsAUseThatWasNotTold) {
  IndexEntry entry = MakeEntry();
  index_.Put(entry);
  Use(entry, 100);
  entry.creator = "user-2";
  index_.Put(entry);
  // A later use is told instead of it, not besides.
  Use(entry, 101);
  EXPECT_THAT(index_.DrainUses(), SizeIs(1));
  // The same minute is told once.
  Use(entry, 101);
  EXPECT_THAT(index_.DrainUses(), IsEmpty());
}

TEST_F(TokenIndexTest, CommonValuesComeAndGoBesideLookUps) {
  std::vector<IndexEntry> entries = Fill(200);
  std::atomic<bool> done{false};
  std::atomic<int> rounds_read{0};
  std::thread reader([&] {
    size_t length = 0;
    for (; !done; ++rounds_read) {
      for (const IndexEntry& entry : entries) {
        index_.Visit(entry.digest, [&](const IndexSlot& slot) {
          length += slot.creator->size() + slot.scopes->scopes().size();
        });
      }
    }
    EXPECT_GT(length, 0U);
  });
  // Goes on until the reader has really been beside it.
  for (int round = 0; round < 50 || rounds_read < 5; ++round) {
    for (size_t i = 0; i < entries.size(); ++i) {
      IndexEntry changed = entries[i];
      changed.creator = absl::StrCat("user-", round, "-", i % 5);
      changed.scopes = ScopeSet({absl::StrCat("scope:", round % 3)});
      index_.Put(changed);
    }
  }
  done = true;
  reader.join();
  EXPECT_EQ(index_.distinct().creators, 5U);
}

}  // namespace
}  // namespace wemasy::tokens
