// The program as its users run it: other processes, their output and exit codes.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace coffer::test {

inline std::string binary() {
  const char* const path = ::getenv("COFFER_BINARY");
  return path == nullptr ? "build/debug/coffer" : path;
}

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline std::string content_of(const std::string& path) {
  std::string text;
  if (FILE* const file = std::fopen(path.c_str(), "rb")) {
    char bytes[4096];
    for (std::size_t n = 0; (n = std::fread(bytes, 1, sizeof bytes, file)) > 0;) {
      text.append(bytes, n);
    }
    std::fclose(file);
  }
  return text;
}

class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/coffer-cli-XXXXXX";
    path_ = ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Runs `coffer ARGUMENTS` through the shell and waits for it.
inline Ran run(const std::string& arguments) {
  const Directory directory;
  const std::string err = directory.path() + "/err";
  Ran ran;
  FILE* const pipe = ::popen(("exec " + binary() + " " + arguments + " 2>" + err + " </dev/null").c_str(), "r");
  char bytes[4096];
  for (std::size_t n = 0; (n = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;) {
    ran.out.append(bytes, n);
  }
  const int status = ::pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.err = content_of(err);
  return ran;
}

inline void pause_ms(int ms) { ::usleep(static_cast<useconds_t>(ms) * 1000); }

/// Until `condition` holds, or for so long. What it said last.
template <class Condition>
bool eventually(Condition condition, int timeout_ms = 15'000) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    pause_ms(20);
  }
  return true;
}

struct AnnouncedNode {
  int node = 0;
  pid_t pid = 0;
  std::uint16_t http = 0;
  std::uint16_t client = 0;
  std::uint16_t peer = 0;
  std::uint16_t admin = 0;
};

/// "node 1 pid 4242 http 127.0.0.1:8081 client 127.0.0.1:7081 peer 127.0.0.1:9081 admin 127.0.0.1:6081"
inline bool parse_line(const std::string& line, AnnouncedNode& node) {
  unsigned ports[4] = {};
  int end = 0;
  const int got = std::sscanf(
      line.c_str(), "node %d pid %d http 127.0.0.1:%u client 127.0.0.1:%u peer 127.0.0.1:%u admin 127.0.0.1:%u%n",
      &node.node, &node.pid, &ports[0], &ports[1], &ports[2], &ports[3], &end);
  node.http = static_cast<std::uint16_t>(ports[0]);
  node.client = static_cast<std::uint16_t>(ports[1]);
  node.peer = static_cast<std::uint16_t>(ports[2]);
  node.admin = static_cast<std::uint16_t>(ports[3]);
  return got == 6 && static_cast<std::size_t>(end) == line.size();
}

/// A `coffer local` in the background. Its nodes die with it.
class RunningLocal {
 public:
  RunningLocal(const std::string& directory, int nodes, const std::vector<std::string>& more = {}) {
    int out[2];
    if (::pipe(out) != 0) {
      return;
    }
    err_path_ = directory + "-err";
    std::vector<std::string> words = {binary(), "local", "--dir", directory};
    words.insert(words.end(), more.begin(), more.end());
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::close(out[1]);
      if (::freopen(err_path_.c_str(), "w", stderr) == nullptr) {
        ::_exit(1);
      }
      std::vector<char*> argv;
      for (std::string& word : words) {
        argv.push_back(word.data());
      }
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    out_ = ::fdopen(out[0], "r");
    for (int i = 0; i < nodes; ++i) {
      const std::string line = next_line();
      AnnouncedNode node;
      good_ = good_ && parse_line(line, node);
      nodes_[node.node] = node;
    }
  }
  ~RunningLocal() {
    stop(SIGTERM);
    if (out_ != nullptr) {
      std::fclose(out_);
    }
  }
  RunningLocal(const RunningLocal&) = delete;
  RunningLocal& operator=(const RunningLocal&) = delete;

  bool good() const { return good_; }
  pid_t pid() const { return pid_; }
  AnnouncedNode& node(int number) { return nodes_[number]; }
  std::string err() const { return content_of(err_path_); }
  std::string next_line() {
    char line[512] = {};
    if (std::fgets(line, sizeof line, out_) == nullptr) {
      return {};
    }
    std::string text = line;
    if (!text.empty() && text.back() == '\n') {
      text.pop_back();
    }
    return text;
  }
  /// Sends the signal, waits for the end, and gives the exit code (128 + signal if it died of one).
  int stop(int signal) {
    if (pid_ <= 0) {
      return -1;
    }
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
  bool good_ = true;
  std::string err_path_;
  std::map<int, AnnouncedNode> nodes_;
};

inline bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace coffer::test
