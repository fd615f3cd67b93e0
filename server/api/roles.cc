#include "server/api/roles.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace wemasy::tokens {
namespace {

using Json = nlohmann::json;

// gRPC takes no longer SPIFFE id.
constexpr size_t kMaxIdentityLength = 2048;

// Absent if there is no such role.
absl::optional<Role> RoleOf(absl::string_view name) {
  for (const Role role : {Role::kValidator, Role::kManager, Role::kSecurity}) {
    if (RoleName(role) == name) return role;
  }
  return absl::nullopt;
}

// Refuses an object that has a key twice, of which the parser would silently
// drop the first.
class KeyWatch {
 public:
  explicit KeyWatch(std::vector<std::string>* faults) : faults_(*faults) {}

  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
        open_.emplace_back();
        break;
      case Json::parse_event_t::object_end:
        open_.pop_back();
        break;
      case Json::parse_event_t::key: {
        const std::string key = parsed.get<std::string>();
        if (!open_.back().insert(key).second) {
          faults_.push_back(
              absl::StrCat("key ", parsed.dump(), " is twice in one object"));
        }
        break;
      }
      default:
        break;
    }
    return true;
  }

 private:
  std::vector<std::string>& faults_;
  std::vector<std::set<std::string>> open_;
};

// Reads the parsed file, gathering its faults.
class Reader {
 public:
  explicit Reader(std::vector<std::string>* faults) : faults_(*faults) {}

  absl::flat_hash_map<std::string, Grants> ReadFile(const Json& file) {
    absl::flat_hash_map<std::string, Grants> table;
    if (!CheckObject("$", file, {"bindings"})) return table;
    const Json* bindings = Member("$", file, "bindings");
    if (bindings == nullptr || !CheckArray("$.bindings", *bindings)) {
      return table;
    }
    for (size_t i = 0; i < bindings->size(); ++i) {
      const std::string path = absl::StrCat("$.bindings[", i, "]");
      std::string identity;
      Grants grants = ReadBinding(path, (*bindings)[i], &identity);
      if (identity.empty()) continue;
      if (!table.emplace(identity, std::move(grants)).second) {
        Fault(absl::StrCat(path, ".identity"),
              absl::StrCat("is '", identity, "' again, want one binding"));
      }
    }
    return table;
  }

 private:
  void Fault(absl::string_view path, absl::string_view what) {
    faults_.push_back(absl::StrCat(path, ": ", what));
  }

  bool CheckObject(absl::string_view path, const Json& value,
                   std::initializer_list<absl::string_view> keys) {
    if (!value.is_object()) {
      Fault(path, absl::StrCat("is ", value.type_name(), ", want object"));
      return false;
    }
    for (const auto& member : value.items()) {
      if (std::find(keys.begin(), keys.end(), member.key()) == keys.end()) {
        Fault(absl::StrCat(path, ".", member.key()),
              absl::StrCat("is unknown, want ", absl::StrJoin(keys, ", ")));
      }
    }
    return true;
  }

  bool CheckArray(absl::string_view path, const Json& value) {
    if (value.is_array()) return true;
    Fault(path, absl::StrCat("is ", value.type_name(), ", want array"));
    return false;
  }

  // Null, with a fault, if there is no such member.
  const Json* Member(absl::string_view path, const Json& object,
                     const char* key) {
    const auto found = object.find(key);
    if (found != object.end()) return &*found;
    Fault(absl::StrCat(path, ".", key), "is missing");
    return nullptr;
  }

  // The texts of a list that must not be empty, each with its path.
  std::vector<std::pair<std::string, std::string>> ReadTexts(
      const std::string& path, const Json& list) {
    std::vector<std::pair<std::string, std::string>> texts;
    if (!CheckArray(path, list)) return texts;
    if (list.empty()) Fault(path, "is empty, want at least one");
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string element = absl::StrCat(path, "[", i, "]");
      if (list[i].is_string()) {
        texts.emplace_back(element, list[i].get<std::string>());
      } else {
        Fault(element,
              absl::StrCat("is ", list[i].type_name(), ", want string"));
      }
    }
    return texts;
  }

  Grants ReadBinding(const std::string& path, const Json& binding,
                     std::string* identity) {
    Grants grants;
    if (!CheckObject(path, binding, {"identity", "roles", "projects"})) {
      return grants;
    }
    *identity = ReadIdentity(path, binding);
    if (const Json* roles = Member(path, binding, "roles")) {
      ReadRoles(absl::StrCat(path, ".roles"), *roles, &grants);
    }
    if (const auto found = binding.find("projects"); found != binding.end()) {
      const std::string projects_path = absl::StrCat(path, ".projects");
      if (!grants.Has(Role::kManager)) {
        Fault(projects_path, "is set, want it with the role manager only");
      }
      ReadProjects(projects_path, *found, &grants);
    }
    return grants;
  }

  std::string ReadIdentity(const std::string& path, const Json& binding) {
    const Json* identity = Member(path, binding, "identity");
    if (identity == nullptr) return "";
    const std::string identity_path = absl::StrCat(path, ".identity");
    if (!identity->is_string()) {
      Fault(identity_path,
            absl::StrCat("is ", identity->type_name(), ", want string"));
      return "";
    }
    const std::string& text = identity->get_ref<const std::string&>();
    if (text == kLocalIdentity || text == kPlaintextIdentity ||
        IsDnsIdentity(text) || IsUriIdentity(text)) {
      return text;
    }
    Fault(identity_path,
          absl::StrCat("is ", identity->dump(), ", want a URI, a DNS name, '",
                       kLocalIdentity, "' or '", kPlaintextIdentity, "'"));
    return "";
  }

  void ReadRoles(const std::string& path, const Json& roles, Grants* grants) {
    for (const auto& [element, name] : ReadTexts(path, roles)) {
      if (const absl::optional<Role> role = RoleOf(name)) {
        grants->Add(*role);
      } else {
        Fault(element, absl::StrCat("is '", name,
                                    "', want validator, manager or security"));
      }
    }
  }

  void ReadProjects(const std::string& path, const Json& projects,
                    Grants* grants) {
    const auto texts = ReadTexts(path, projects);
    for (const auto& [element, text] : texts) {
      if (text == "-") {
        if (texts.size() > 1) Fault(element, "is '-', want it alone");
      } else if (const auto project = ProjectId::Parse(text)) {
        grants->RestrictTo(*project);
      } else {
        Fault(element, absl::StrCat("is '", text, "', want a project's id"));
      }
    }
  }

  std::vector<std::string>& faults_;
};

// Where in a text its n-th byte is, for people.
std::string Position(absl::string_view text, size_t byte) {
  const absl::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t newline = before.rfind('\n');
  const size_t column = newline == absl::string_view::npos
                            ? before.size() + 1
                            : before.size() - newline;
  return absl::StrCat("line ", line, ", column ", column);
}

}  // namespace

absl::string_view RoleName(Role role) {
  switch (role) {
    case Role::kValidator:
      return "validator";
    case Role::kManager:
      return "manager";
    case Role::kSecurity:
      return "security";
  }
  return "unknown";
}

absl::StatusOr<RoleTable> RoleTable::Parse(absl::string_view json) {
  std::vector<std::string> faults;
  RoleTable table;
  // The library throws: nothing of that leaves this function.
  try {
    const Json file = Json::parse(json.begin(), json.end(), KeyWatch(&faults));
    table.bindings_ = Reader(&faults).ReadFile(file);
  } catch (const Json::parse_error& error) {
    faults.push_back(
        absl::StrCat("is not JSON at ", Position(json, error.byte)));
  } catch (const Json::exception& error) {
    faults.push_back(absl::StrCat("cannot be read: ", error.what()));
  }
  if (!faults.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  }
  return table;
}

bool IsDnsIdentity(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxIdentityLength &&
         name != kLocalIdentity && name != kPlaintextIdentity &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_' ||
                  c == '*';
         });
}

bool IsUriIdentity(absl::string_view uri) {
  const size_t colon = uri.find(':');
  return colon != absl::string_view::npos && colon > 0 &&
         uri.size() <= kMaxIdentityLength && absl::ascii_isalpha(uri[0]) &&
         std::all_of(uri.begin(), uri.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c); });
}

}  // namespace wemasy::tokens
