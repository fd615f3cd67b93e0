// A private PostgreSQL for tests: a real cluster of the test process's own.
#ifndef WEMASY_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
#define WEMASY_TESTS_SUPPORT_POSTGRES_CLUSTER_H_

#include <sys/types.h>

#include <string>

namespace wemasy::tokens {

// A cluster in a directory of its own, reached over a Unix socket in that
// directory, and over TCP on the loopback if asked. With fsync, as the service
// insists on it. Stopped and removed at the end, also after a crash: a child
// process watches over this one.
//
// Aborts the test process if PostgreSQL is not installed or does not start.
// Not thread-safe.
class PostgresCluster {
 public:
  // Whether the server sees a disk of 1 MiB in small_disk().
  enum class SmallDisk { kNo, kYes };

  explicit PostgresCluster(SmallDisk small_disk = SmallDisk::kNo);
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // The cluster that all tests of this process share, started by the first
  // call. Do not stop it.
  static PostgresCluster& Shared();

  // As pg_ctl does: Start waits until it accepts connections, Stop ends
  // sessions in order, StopImmediate is a crash.
  void Start();
  void Stop();
  void StopImmediate();
  void Restart() {
    Stop();
    Start();
  }
  // Starts as a standby that hears from no primary, and makes it one.
  void StartAsStandby();
  void Promote();
  // Reads postgresql.conf again after `line` was appended.
  void Reconfigure(const std::string& line);

  // Makes an empty database and returns the owner's connection string.
  std::string CreateDatabase();
  // The connection string of `role` to the database of another one.
  static std::string AsRole(const std::string& conninfo,
                            const std::string& role);

  // Runs SQL as the superuser in the database of `conninfo`, and returns the
  // unadorned output without the last newline. Aborts if it fails.
  std::string Psql(const std::string& conninfo, const std::string& sql);
  // Whether it succeeds; says nothing if not.
  bool TryPsql(const std::string& conninfo, const std::string& sql);

  // Where the Unix socket is: a short path.
  const std::string& socket_directory() const { return directory_; }
  std::string data_directory() const { return directory_ + "/data"; }
  std::string small_disk() const { return directory_ + "/disk"; }

 private:
  void StartGuardian();
  bool RunPsql(const std::string& conninfo, const std::string& sql,
               std::string* output);
  // Runs a program of PostgreSQL, or of a path, as a user who is not root.
  std::string Command(const std::string& program,
                      const std::string& arguments) const;

  const SmallDisk small_disk_;
  std::string directory_;
  int databases_ = 0;
  bool running_ = false;
  // Held open by this process only: its end tells the guardian.
  int guardian_pipe_ = -1;
  pid_t guardian_ = -1;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
