#include "client/cli/output.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/cli/arguments.h"
#include "google/protobuf/util/json_util.h"

namespace wemasy::tokens::cli {
namespace {

// Leaves UTF-8 as it is; a terminal takes commands from control characters.
std::string Printable(absl::string_view text) {
  if (std::none_of(text.begin(), text.end(), absl::ascii_iscntrl)) {
    return std::string(text);
  }
  return absl::Utf8SafeCEscape(text);
}

// In characters: bytes other than those that continue one.
size_t Width(absl::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void AddLine(absl::string_view label, absl::string_view value,
             std::string* text) {
  if (value.empty()) return;
  const std::string padding(20 - std::min<size_t>(label.size(), 19), ' ');
  absl::StrAppend(text, label, padding, Printable(value), "\n");
}

template <typename Map>
std::string Pairs(const Map& map) {
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  return absl::StrJoin(sorted, " ", absl::PairFormatter("="));
}

std::string WithoutPrefix(absl::string_view name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

std::string LastPart(absl::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

std::string Named(const std::string& name, int number) {
  return name.empty() ? absl::StrCat(number) : name;
}

}  // namespace

Table::Table(std::vector<std::string> heads) { AddRow(std::move(heads)); }

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i],
                      std::string(widths[i] - Width(row[i]) + 2, ' '));
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string ShowTime(bool set, const google::protobuf::Timestamp& time,
                     absl::string_view otherwise) {
  if (!set) return std::string(otherwise);
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", FromProto(time),
                          absl::UTCTimeZone());
}

std::string ShowState(v1::TokenState state) {
  return Named(WithoutPrefix(v1::TokenState_Name(state), "TOKEN_STATE_"),
               state);
}

std::string ShowReason(v1::RevokeReason reason) {
  return Named(WithoutPrefix(v1::RevokeReason_Name(reason), "REVOKE_REASON_"),
               reason);
}

std::string ShowVerdict(v1::Verdict verdict) {
  return Named(WithoutPrefix(v1::Verdict_Name(verdict), "VERDICT_"), verdict);
}

std::string ShowAction(v1::AuditAction action) {
  return Named(WithoutPrefix(v1::AuditAction_Name(action), "AUDIT_ACTION_"),
               action);
}

std::string ShowToken(const v1::Token& token) {
  std::string text;
  AddLine("name", token.name(), &text);
  AddLine("display name", token.display_name(), &text);
  AddLine("description", token.description(), &text);
  AddLine("state", ShowState(token.state()), &text);
  AddLine("scopes", absl::StrJoin(token.scopes(), " "), &text);
  AddLine("metadata", Pairs(token.metadata()), &text);
  if (!token.hint().empty()) {
    AddLine("secret ends with", token.hint(), &text);
  }
  AddLine(
      "created",
      absl::StrCat(ShowTime(token.has_create_time(), token.create_time(), "?"),
                   " by ", token.creator()),
      &text);
  AddLine("expires",
          ShowTime(token.has_expire_time(), token.expire_time(), "never"),
          &text);
  AddLine("last used",
          ShowTime(token.has_last_used_time(), token.last_used_time(), "never"),
          &text);
  if (token.has_old_secret_expire_time()) {
    AddLine("old secret until",
            absl::StrCat(ShowTime(true, token.old_secret_expire_time(), ""),
                         ", last used ",
                         ShowTime(token.has_old_secret_last_used_time(),
                                  token.old_secret_last_used_time(), "never")),
            &text);
  }
  if (token.has_revoke_time()) {
    AddLine("revoked",
            absl::StrCat(ShowTime(true, token.revoke_time(), ""), " by ",
                         token.revoker()),
            &text);
    AddLine("revoke reason", ShowReason(token.revoke_reason()), &text);
    AddLine("revoke comment", token.revoke_comment(), &text);
  }
  AddLine("etag", token.etag(), &text);
  return text;
}

std::string ShowTokens(const std::vector<v1::Token>& tokens,
                       bool across_projects) {
  Table table({across_projects ? "NAME" : "ID", "DISPLAY NAME", "STATE",
               "SECRET", "SCOPES", "CREATED", "EXPIRES", "LAST USED"});
  for (const v1::Token& token : tokens) {
    table.AddRow(
        {across_projects ? token.name() : LastPart(token.name()),
         token.display_name(), ShowState(token.state()),
         absl::StrCat("…", token.hint()), absl::StrJoin(token.scopes(), ","),
         ShowTime(token.has_create_time(), token.create_time(), "?"),
         ShowTime(token.has_expire_time(), token.expire_time(), "never"),
         ShowTime(token.has_last_used_time(), token.last_used_time(),
                  "never")});
  }
  return table.ToString();
}

std::string ShowReceipt(const v1::RevocationReceipt& receipt) {
  std::string text;
  AddLine("confirmed",
          absl::StrCat(
              ShowTime(receipt.has_confirm_time(), receipt.confirm_time(), "?"),
              ", change ", receipt.change_number()),
          &text);
  AddLine("replicas",
          absl::StrCat(receipt.acknowledged_replicas(), " acknowledged, ",
                       receipt.gone_replicas(), " gone, ",
                       receipt.expired_replicas(), " ran out of lease"),
          &text);
  return text;
}

std::string ShowValidation(const v1::ValidateResponse& response) {
  std::string text;
  AddLine("verdict", ShowVerdict(response.verdict()), &text);
  AddLine("token", response.token(), &text);
  if (response.verdict() != v1::VERDICT_VALID) return text;
  AddLine("project", response.project(), &text);
  AddLine("creator", response.creator(), &text);
  AddLine("scopes", absl::StrJoin(response.scopes(), " "), &text);
  AddLine("metadata", Pairs(response.metadata()), &text);
  AddLine("expires",
          ShowTime(response.has_expire_time(), response.expire_time(), "never"),
          &text);
  return text;
}

std::string ShowAuditEvents(const std::vector<v1::AuditEvent>& events) {
  Table table({"TIME", "ACTION", "TOKEN", "ACTOR", "CALLER", "DETAILS"});
  for (const v1::AuditEvent& event : events) {
    table.AddRow({ShowTime(event.has_event_time(), event.event_time(), "?"),
                  ShowAction(event.action()), event.token(), event.actor(),
                  event.caller(), Pairs(event.details())});
  }
  return table.ToString();
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  // Fails only for messages with Any, of which there are none here.
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : absl::StrCat("{}\n");
}

}  // namespace wemasy::tokens::cli
