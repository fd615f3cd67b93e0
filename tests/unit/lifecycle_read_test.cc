// What can be read: lists and the audit trail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/token/error.h"
#include "tests/unit/lifecycle_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(LifecycleTest, ListsPageByPageNewestFirst) {
  std::vector<std::string> created;
  for (const char* name : {"one", "two", "three"}) {
    created.push_back(MustCreate(MakeCreate(name)).token.record.display_name);
    store_.AdvanceTime(absl::Seconds(1));
  }
  ListRequest request{"projects/demo", 2, "", ""};
  const auto first = lifecycle_.List(Context(), request);
  ASSERT_OK(first);
  ASSERT_THAT(first->tokens, SizeIs(2));
  EXPECT_EQ(first->tokens[0].record.display_name, "three");
  ASSERT_NE(first->next_page_token, "");

  request.page_token = first->next_page_token;
  const auto second = lifecycle_.List(Context(), request);
  ASSERT_OK(second);
  ASSERT_THAT(second->tokens, SizeIs(1));
  EXPECT_EQ(second->tokens[0].record.display_name, "one");
  EXPECT_EQ(second->next_page_token, "");

  request.parent = "projects/other";
  EXPECT_THAT(lifecycle_.List(Context(), request),
              HasReason(ErrorReason::kPageTokenInvalid));
  request.parent = "projects/demo";
  request.filter = "state = ACTIVE";
  EXPECT_THAT(lifecycle_.List(Context(), request),
              HasReason(ErrorReason::kPageTokenInvalid));
  request.filter = "";
  request.page_size = -1;
  EXPECT_THAT(lifecycle_.List(Context(), request), HasViolation("page_size"));
}

TEST_F(LifecycleTest, APageOfHeavyTokensHasFewer) {
  TokenLifecycle roomy(&store_, &barrier_, &metadata_room_, &clock_, &random_,
                       LifecycleLimits{1000});
  CreateRequest heavy = MakeCreate();
  heavy.description = std::string(1000, 'd');
  for (int i = 0; i < 16; ++i) {
    heavy.metadata["k" + std::to_string(i)] = std::string(256, 'v');
  }
  heavy.metadata.erase("tier");
  for (int i = 0; i < 500; ++i) ASSERT_OK(roomy.Create(Context(), heavy));
  ListRequest request{"projects/demo", 1000, "", ""};
  size_t seen = 0;
  int pages = 0;
  do {
    const auto page = roomy.List(Context(), request);
    ASSERT_OK(page);
    EXPECT_LT(page->tokens.size(), 400);
    seen += page->tokens.size();
    request.page_token = page->next_page_token;
    ++pages;
  } while (!request.page_token.empty());
  EXPECT_EQ(seen, 500);
  EXPECT_EQ(pages, 2);
}

TEST_F(LifecycleTest, TheAuditTrailCanBeResumed) {
  const IssuedToken issued = MustCreate(MakeCreate());
  auto view = lifecycle_.ListAudit(Context(), {"projects/demo", 0, "", {}});
  ASSERT_OK(view);
  ASSERT_THAT(view->records, SizeIs(1));
  EXPECT_EQ(view->records[0].actor, "user-1");
  EXPECT_EQ(view->records[0].caller, "spiffe://test/ui");
  EXPECT_EQ(view->records[0].request_id, "call-1");
  EXPECT_EQ(view->next_page_token, "");

  ASSERT_OK(Revoke(issued.token.record));
  view = lifecycle_.ListAudit(Context(),
                              {"projects/demo", 0, view->resume_token, {}});
  ASSERT_OK(view);
  ASSERT_THAT(view->records, SizeIs(1));
  EXPECT_EQ(view->records[0].action, AuditAction::kRevoked);
  EXPECT_EQ(view->records[0].details.at("reason"), "UNUSED");
  EXPECT_EQ(view->records[0].details.at("comment"), "gone");
  // Nothing new: the cursor stays where it is.
  view = lifecycle_.ListAudit(Context(),
                              {"projects/demo", 0, view->resume_token, {}});
  ASSERT_OK(view);
  EXPECT_THAT(view->records, IsEmpty());
}

}  // namespace
}  // namespace wemasy::tokens
