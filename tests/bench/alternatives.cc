// What users would build instead: a service that looks tokens up in a store on
// each call, as one would first write it. gRPC's synchronous API with its own
// settings, the store's usual client library, a pool of connections; and, if
// told so, a map in front that remembers answers.
//
//   alternatives --port=PORT --store=postgres|redis --address=ADDRESS
//                [--cache-seconds=N]
//
// ADDRESS is a connection string, or the path of Redis's socket. Prints "ready"
// once it serves on 127.0.0.1, and ends with its input.
//
// The first failure ends the process: a load generator takes each answer for a
// good one.
#include <grpcpp/grpcpp.h>
#include <hiredis/hiredis.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "common/crypto/digest.h"
#include "tests/bench/bench.grpc.pb.h"

namespace wemasy::tokens {
namespace {

// Of the pool. Two processors are kept busy by fewer.
constexpr int kConnections = 8;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "alternatives: %s\n", what.c_str());
  std::_Exit(1);
}

struct Token {
  std::string name;
  std::vector<std::string> scopes;
};

// Finds tokens that may be used now, by the hexadecimal digest of their
// secrets. Thread-safe.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  virtual absl::optional<Token> Find(const std::string& digest) = 0;
};

// Connections that calls take in turn. Thread-safe.
template <typename Connection>
class Pool {
 public:
  void Add(Connection connection) { Return(std::move(connection)); }

  // Waits for a connection, and returns what `use` makes of it.
  template <typename Use>
  auto With(const Use& use) {
    Connection connection = Take();
    auto result = use(*connection);
    Return(std::move(connection));
    return result;
  }

 private:
  Connection Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    returned_.wait(lock, [this] { return !free_.empty(); });
    Connection connection = std::move(free_.back());
    free_.pop_back();
    return connection;
  }

  void Return(Connection connection) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      free_.push_back(std::move(connection));
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection> free_;
};

class PostgresStore final : public TokenStore {
 public:
  explicit PostgresStore(const std::string& address) {
    for (int i = 0; i < kConnections; ++i) {
      auto connection = std::make_unique<pqxx::connection>(address);
      connection->prepare(
          "find",
          "SELECT t.project, t.id, array_to_string(t.scopes, ' ')"
          " FROM token_digests d JOIN tokens t ON t.id = d.token_id"
          " WHERE d.digest = decode($1, 'hex') AND d.dead_at IS NULL"
          " AND d.ends_at > now() AND t.expire_time > now()"
          " AND t.revoke_time IS NULL");
      pool_.Add(std::move(connection));
    }
  }

  absl::optional<Token> Find(const std::string& digest) override {
    const pqxx::result rows = pool_.With([&](pqxx::connection& connection) {
      // A transaction of libpqxx's would ask three times: BEGIN and COMMIT.
      pqxx::nontransaction query(connection);
      return query.exec_prepared("find", digest);
    });
    if (rows.empty()) return absl::nullopt;
    const pqxx::row row = rows[0];
    Token token;
    token.name =
        absl::StrCat("projects/", row[0].c_str(), "/tokens/", row[1].c_str());
    token.scopes = absl::StrSplit(row[2].c_str(), ' ', absl::SkipEmpty());
    return token;
  }

 private:
  Pool<std::unique_ptr<pqxx::connection>> pool_;
};

struct FreeRedis {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

// The value of a key "token:DIGEST" is the token's name and scopes, with spaces
// in between.
class RedisStore final : public TokenStore {
 public:
  explicit RedisStore(const std::string& address) {
    for (int i = 0; i < kConnections; ++i) {
      std::unique_ptr<redisContext, FreeRedis> connection(
          redisConnectUnix(address.c_str()));
      if (connection == nullptr || connection->err != 0) {
        Fail(absl::StrCat("cannot connect to ", address));
      }
      pool_.Add(std::move(connection));
    }
  }

  absl::optional<Token> Find(const std::string& digest) override {
    const auto reply = pool_.With([&](redisContext& connection) {
      return std::unique_ptr<redisReply, FreeRedis>(static_cast<redisReply*>(
          redisCommand(&connection, "GET token:%s", digest.c_str())));
    });
    if (reply == nullptr || reply->type == REDIS_REPLY_ERROR) {
      Fail("Redis does not answer");
    }
    if (reply->type == REDIS_REPLY_NIL) return absl::nullopt;
    std::vector<std::string> words =
        absl::StrSplit(absl::string_view(reply->str, reply->len), ' ');
    Token token;
    token.name = std::move(words.front());
    token.scopes.assign(words.begin() + 1, words.end());
    return token;
  }

 private:
  Pool<std::unique_ptr<redisContext, FreeRedis>> pool_;
};

// Remembers what another store found: one map behind one mutex, without a bound
// on its size. A revoked token stays good for as long as it remembers.
class CachedStore final : public TokenStore {
 public:
  CachedStore(std::unique_ptr<TokenStore> store, std::chrono::seconds ttl)
      : store_(std::move(store)), ttl_(ttl) {}

  absl::optional<Token> Find(const std::string& digest) override {
    const auto now = std::chrono::steady_clock::now();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = entries_.find(digest);
      if (found != entries_.end() && now < found->second.end) {
        return found->second.token;
      }
    }
    absl::optional<Token> token = store_->Find(digest);
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_[digest] = {token, now + ttl_};
    return token;
  }

 private:
  struct Entry {
    absl::optional<Token> token;
    std::chrono::steady_clock::time_point end;
  };

  const std::unique_ptr<TokenStore> store_;
  const std::chrono::seconds ttl_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

class LookupService final : public bench::LookupService::Service {
 public:
  // `store` must outlive this object.
  explicit LookupService(TokenStore* store) : store_(*store) {}

  grpc::Status Lookup(grpc::ServerContext* /*context*/,
                      const bench::LookupRequest* request,
                      bench::LookupResponse* response) override {
    const TokenDigest digest = TokenDigest::Of(request->secret());
    absl::optional<Token> token;
    try {
      token = store_.Find(absl::BytesToHexString(digest.bytes()));
    } catch (const std::exception& e) {
      Fail(e.what());
    }
    if (!token) return grpc::Status::OK;
    response->set_found(true);
    response->set_token(std::move(token->name));
    for (std::string& scope : token->scopes) {
      response->add_scopes(std::move(scope));
    }
    return grpc::Status::OK;
  }

 private:
  TokenStore& store_;
};

// Tells what of a lookup's cost is gRPC's.
class EmptyService final : public bench::EmptyService::Service {
 public:
  grpc::Status Call(grpc::ServerContext* /*context*/,
                    const bench::CallRequest* /*request*/,
                    bench::CallResponse* /*response*/) override {
    return grpc::Status::OK;
  }
};

struct Options {
  int port = 0;
  std::string store;
  std::string address;
  int cache_seconds = 0;
};

std::unique_ptr<TokenStore> MakeStore(const Options& options) {
  std::unique_ptr<TokenStore> store;
  if (options.store == "redis") {
    store = std::make_unique<RedisStore>(options.address);
  } else {
    store = std::make_unique<PostgresStore>(options.address);
  }
  if (options.cache_seconds == 0) return store;
  return std::make_unique<CachedStore>(
      std::move(store), std::chrono::seconds(options.cache_seconds));
}

int Serve(const Options& options) {
  const std::unique_ptr<TokenStore> store = MakeStore(options);
  LookupService lookup(store.get());
  EmptyService empty;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", options.port),
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&lookup);
  builder.RegisterService(&empty);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown();
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("looks tokens up in a store on each call");
  Options options;
  app.add_option("--port", options.port)->required();
  app.add_option("--store", options.store)
      ->required()
      ->check(CLI::IsMember({"postgres", "redis"}));
  app.add_option("--address", options.address)->required();
  app.add_option("--cache-seconds", options.cache_seconds);
  CLI11_PARSE(app, argc, argv);
  return Serve(options);
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  try {
    return wemasy::tokens::Main(argc, argv);
  } catch (const std::exception& e) {
    wemasy::tokens::Fail(e.what());
  }
}
