#include "server/api/grpc/field_mask.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace wemasy::tokens {
namespace {

// The fields that can be changed, by name.
constexpr struct {
  absl::string_view path;
  bool UpdateFields::*member;
} kMutable[] = {
    {"display_name", &UpdateFields::display_name},
    {"description", &UpdateFields::description},
    {"scopes", &UpdateFields::scopes},
    {"metadata", &UpdateFields::metadata},
    {"expire_time", &UpdateFields::expire_time},
};

UpdateFields PopulatedFields(const v1::Token& token) {
  UpdateFields fields;
  fields.display_name = !token.display_name().empty();
  fields.description = !token.description().empty();
  fields.scopes = !token.scopes().empty();
  fields.metadata = !token.metadata().empty();
  fields.expire_time = token.has_expire_time();
  return fields;
}

// Whether the path was one that can be changed; if so, it is marked.
bool Mark(absl::string_view path, UpdateFields* fields) {
  for (const auto& field : kMutable) {
    if (field.path != path) continue;
    fields->*field.member = true;
    return true;
  }
  return false;
}

bool IsTokenField(const std::string& path) {
  return v1::Token::descriptor()->FindFieldByName(path) != nullptr;
}

}  // namespace

UpdateFields ResolveUpdateMask(FieldViolations& violations,
                               const v1::UpdateTokenRequest& request) {
  const auto& paths = request.update_mask().paths();
  if (paths.empty()) return PopulatedFields(request.token());
  UpdateFields fields;
  for (const std::string& path : paths) {
    if (path == "*") {
      if (paths.size() > 1) {
        violations.Add("update_mask", "has '*' among others, want it alone");
      }
      for (const auto& field : kMutable) fields.*field.member = true;
    } else if (!Mark(path, &fields) && !IsTokenField(path)) {
      violations.Add("update_mask",
                     "has a path that is no field of a token, want "
                     "display_name, description, scopes, metadata or "
                     "expire_time");
      break;
    }
  }
  return fields;
}

}  // namespace wemasy::tokens
