// How tokenctl shows things: tables and details for people, JSON for programs.
#ifndef WEMASY_CLIENT_CLI_OUTPUT_H_
#define WEMASY_CLIENT_CLI_OUTPUT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "wemasy/tokens/v1/audit.pb.h"
#include "wemasy/tokens/v1/auth_service.pb.h"
#include "wemasy/tokens/v1/token.pb.h"

namespace wemasy::tokens::cli {

// Columns as wide as their widest cell, in characters rather than bytes.
// Thread-compatible.
class Table {
 public:
  explicit Table(std::vector<std::string> heads);

  // Adds a row of as many cells as there are heads. Line feeds and other
  // control characters in a cell are escaped.
  void AddRow(std::vector<std::string> cells);

  // The head and all rows, each ending with a line feed.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// `2026-11-24T03:07:59Z`; `otherwise` if the time is not set.
std::string ShowTime(bool set, const google::protobuf::Timestamp& time,
                     absl::string_view otherwise);

// The name of an enum's value without the enum's prefix.
std::string ShowState(v1::TokenState state);
std::string ShowReason(v1::RevokeReason reason);
std::string ShowVerdict(v1::Verdict verdict);
std::string ShowAction(v1::AuditAction action);

// A line for each field that is set, with what it means.
std::string ShowToken(const v1::Token& token);

// A table with ids, or with whole resource names if `across_projects`.
std::string ShowTokens(const std::vector<v1::Token>& tokens,
                       bool across_projects);

std::string ShowReceipt(const v1::RevocationReceipt& receipt);
std::string ShowValidation(const v1::ValidateResponse& response);
std::string ShowAuditEvents(const std::vector<v1::AuditEvent>& events);

// `message` as ProtoJSON, indented, empty lists and zeros included.
std::string ToJson(const google::protobuf::Message& message);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_OUTPUT_H_
