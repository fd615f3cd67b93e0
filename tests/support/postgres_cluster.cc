#include "tests/support/postgres_cluster.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace wemasy::tokens {
namespace {

[[noreturn]] void Die(absl::string_view why) {
  std::fprintf(stderr, "PostgresCluster: %.*s\n", static_cast<int>(why.size()),
               why.data());
  std::abort();
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The newest installed, of those that the service supports.
std::string BinDirectory() {
  for (int version = 30; version >= 15; --version) {
    std::string path = absl::StrCat("/usr/lib/postgresql/", version, "/bin");
    if (access((path + "/initdb").c_str(), X_OK) == 0) return path;
  }
  Die("no PostgreSQL found: apt-get install postgresql-15");
}

void RunOrDie(const std::string& command) {
  if (std::system(command.c_str()) != 0) Die("failed: " + command);
}

}  // namespace

PostgresCluster::PostgresCluster(SmallDisk small_disk)
    : small_disk_(small_disk) {
  // A socket's path has 107 bytes, so no long TMPDIR.
  char directory[] = "/tmp/wpg-XXXXXX";
  if (mkdtemp(directory) == nullptr) Die("cannot make a directory in /tmp");
  directory_ = directory;
  chmod(directory, 0755);
  if (getuid() == 0) RunOrDie("chown postgres " + directory_);
  StartGuardian();
  RunOrDie(
      Command("initdb", absl::StrCat("-D ", data_directory(),
                                     " -U postgres -A trust -E UTF8 --no-sync"
                                     " --locale=C > ",
                                     directory_, "/initdb.log 2>&1")));
  std::ofstream config(data_directory() + "/postgresql.conf", std::ios::app);
  config << "unix_socket_directories = '" << directory_ << "'\n"
         << "listen_addresses = ''\n"
         << "fsync = on\n"
         << "shared_buffers = 32MB\n"
         // It would come in the middle of a test, or not.
         << "autovacuum = off\n"
         << "max_connections = 60\n";
  config.close();
  Start();
}

PostgresCluster::~PostgresCluster() {
  // The guardian stops the server and removes the directory.
  close(guardian_pipe_);
  waitpid(guardian_, nullptr, 0);
}

PostgresCluster& PostgresCluster::Shared() {
  // Leaked: the guardian cleans up when the process is gone.
  static auto* const cluster = new PostgresCluster();
  return *cluster;
}

std::string PostgresCluster::Command(const std::string& program,
                                     const std::string& arguments) const {
  // PostgreSQL refuses to run as root.
  const char* const as_user = getuid() == 0
                                  ? "setpriv --reuid postgres --regid postgres "
                                    "--init-groups env -C / "
                                  : "env -C / ";
  return absl::StrCat(as_user,
                      absl::StartsWith(program, "/")
                          ? program
                          : absl::StrCat(BinDirectory(), "/", program),
                      " ", arguments);
}

void PostgresCluster::StartGuardian() {
  int ends[2];
  if (pipe(ends) != 0) Die("no pipe");
  const std::string script =
      absl::StrCat("trap '' INT TERM HUP; read -r line; ",
                   Command("pg_ctl", absl::StrCat("stop -D ", data_directory(),
                                                  " -m immediate -w -t 20")),
                   " > /dev/null 2>&1; umount -l ", small_disk(),
                   " 2> /dev/null; rm -rf ", directory_);
  guardian_ = fork();
  if (guardian_ < 0) Die("no process");
  if (guardian_ == 0) {
    // A group of its own, so that a Ctrl-C at the test spares it.
    setpgid(0, 0);
    dup2(ends[0], 0);
    // Nothing else of the test's stays open: whoever reads the test's output
    // would wait for the guardian's end.
    for (int fd = 3; fd < 1024; ++fd) close(fd);
    execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    _exit(127);
  }
  close(ends[0]);
  guardian_pipe_ = ends[1];
  // Not inherited by the server, which would keep it open.
  fcntl(guardian_pipe_, F_SETFD, FD_CLOEXEC);
}

void PostgresCluster::Start() {
  if (running_) return;
  std::string start = absl::StrCat("start -D ", data_directory(), " -l ",
                                   directory_, "/server.log -w -t 60 -s");
  if (small_disk_ == SmallDisk::kYes) {
    // In a mount namespace of the server's own, which by way of a user
    // namespace needs no root. Root needs none, and gets none in a changed
    // root, where the namespace cannot be made private either.
    RunOrDie(Command("/bin/mkdir", "-p " + small_disk()));
    const bool is_root = getuid() == 0;
    start = absl::StrCat(
        is_root ? "p=private; unshare --mount true 2> /dev/null ||"
                  " p=unchanged; unshare --mount --propagation $p "
                : "unshare --mount --user --map-current-user --keep-caps ",
        "sh -c ",
        Quoted(absl::StrCat("mount -t tmpfs -o size=1m",
                            is_root ? ",uid=$(id -u postgres)" : "", " none ",
                            small_disk(), " && ", Command("pg_ctl", start))));
  } else {
    start = Command("pg_ctl", start);
  }
  RunOrDie(start);
  running_ = true;
}

void PostgresCluster::StartAsStandby() {
  RunOrDie(Command("/usr/bin/touch", data_directory() + "/standby.signal"));
  Start();
}

void PostgresCluster::Stop() {
  if (!std::exchange(running_, false)) return;
  RunOrDie(Command("pg_ctl", absl::StrCat("stop -D ", data_directory(),
                                          " -m fast -w -t 60 -s")));
}

void PostgresCluster::StopImmediate() {
  if (!std::exchange(running_, false)) return;
  RunOrDie(Command("pg_ctl", absl::StrCat("stop -D ", data_directory(),
                                          " -m immediate -w -t 60 -s")));
}

void PostgresCluster::Promote() {
  RunOrDie(Command(
      "pg_ctl", absl::StrCat("promote -D ", data_directory(), " -w -t 60 -s")));
}

void PostgresCluster::Reconfigure(const std::string& line) {
  std::ofstream config(data_directory() + "/postgresql.conf", std::ios::app);
  config << line << "\n";
  config.close();
  RunOrDie(
      Command("pg_ctl", absl::StrCat("reload -D ", data_directory(), " -s")));
}

std::string PostgresCluster::CreateDatabase() {
  const std::string name = absl::StrCat("test", ++databases_);
  const std::string base = absl::StrCat("host=", directory_, " user=postgres");
  Psql(base + " dbname=postgres", "CREATE DATABASE " + name);
  return absl::StrCat(base, " dbname=", name);
}

std::string PostgresCluster::AsRole(const std::string& conninfo,
                                    const std::string& role) {
  // Of two settings of one name the later is taken.
  return absl::StrCat(conninfo, " user=", role);
}

bool PostgresCluster::RunPsql(const std::string& conninfo,
                              const std::string& sql, std::string* output) {
  const std::string command = absl::StrCat(
      Command("psql", "-X -q -A -t -v ON_ERROR_STOP=1 "), "-d ",
      Quoted(conninfo), " -c ", Quoted(sql), " 2>> ", directory_, "/psql.log");
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("cannot run psql");
  output->clear();
  char buffer[4096];
  while (const size_t count = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    output->append(buffer, count);
  }
  *output = std::string(absl::StripSuffix(*output, "\n"));
  return pclose(pipe) == 0;
}

std::string PostgresCluster::Psql(const std::string& conninfo,
                                  const std::string& sql) {
  std::string output;
  if (!RunPsql(AsRole(conninfo, "postgres"), sql, &output)) {
    Die("failed: " + sql);
  }
  return output;
}

bool PostgresCluster::TryPsql(const std::string& conninfo,
                              const std::string& sql) {
  std::string output;
  return RunPsql(conninfo, sql, &output);
}

}  // namespace wemasy::tokens
