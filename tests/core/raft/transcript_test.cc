// Golden transcripts: tests/data/raft/*.txt hold commands and what they printed. A reader follows a whole election or a
// lost tail message by message, and a change of behaviour shows as a difference of text.
//
//   block := command lines | "----" | printed lines | empty line.  Lines that begin with # are for the reader.
//
// COFFER_REWRITE_GOLDEN=1 writes what was printed into the files instead of comparing.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/core/raft/world.h"

namespace coffer::raft::test {
namespace {

/// Runs the commands of one file. An unknown command prints an error, so that a typing error shows in the text.
class Interpreter {
 public:
  std::string run(const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    words >> verb;
    out_.str("");
    if (verb == "group") {
      std::uint32_t members = 0;
      std::uint32_t founders = 0;
      std::string of;
      words >> members >> of >> founders;
      world_.emplace(members, 1, founders);
    } else if (!world_) {
      out_ << "error: begin with: group N\n";
    } else if (!of_link(verb, words) && !of_member(verb, words) && !of_world(verb, words)) {
      out_ << "error: unknown command: " << command << "\n";
    }
    if (world_) {
      for (const std::string& breach : world_->safety().breaches()) out_ << "BREACH " << breach << "\n";
    }
    return out_.str();
  }

 private:
  /// deliver 1->2 [COUNT | all | #POSITION], repeat 1->2, drop 1->2 [all]
  bool of_link(const std::string& verb, std::istringstream& words) {
    if (verb != "deliver" && verb != "repeat" && verb != "drop") return false;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    char arrow = 0;
    words >> from >> arrow >> arrow >> to;
    std::string which = "1";
    words >> which;
    if (from == 0 || to == 0 || from > world_->size() || to > world_->size()) return false;
    const std::size_t position = which[0] == '#' ? std::stoul(which.substr(1)) : 0;
    std::size_t count = which == "all" ? world_->queued(from, to) : which[0] == '#' ? 1 : std::stoul(which);
    if (world_->queued(from, to) <= position) out_ << "nothing to " << verb << "\n";
    for (; count > 0 && world_->queued(from, to) > position; --count) {
      if (verb == "drop") {
        world_->drop(from, to, position);
      } else {
        world_->deliver(from, to, position, verb == "repeat");
        story();
      }
    }
    return true;
  }

  /// tick 1, sync 1 [COUNT], propose 1 TEXT, read 1 ID, crash 1 [SURVIVING], restart 1, isolate 1, state 1,
  /// and those of upkeep()
  bool of_member(const std::string& verb, std::istringstream& words) {
    std::uint32_t id = 0;
    if (!(words >> id) || id == 0 || id > world_->size()) {
      words.clear();
      return false;
    }
    Member& member = world_->member(id);
    std::string rest;
    words >> rest;
    if (verb == "tick" && member.raft) {
      world_->sleep(std::max(nanoseconds(0), member.raft->wake_at() - world_->now()));
      world_->tick(id);
    } else if (verb == "sync") {
      world_->sync(id, rest.empty() ? SIZE_MAX : std::stoul(rest));
    } else if (verb == "propose") {
      if (!world_->propose(id, rest)) out_ << "not the leader\n";
    } else if (verb == "read") {
      if (!world_->read(id, std::stoul(rest))) out_ << "not the leader\n";
    } else if (verb == "crash") {
      world_->crash(id, rest.empty() ? 0 : std::stoul(rest));
    } else if (verb == "restart") {
      world_->restart(id);
    } else if (upkeep(verb, id, rest)) {
      // printed below
    } else if (verb == "reconnect" && !rest.empty()) {
      world_->reconnect(id, static_cast<std::uint32_t>(std::stoul(rest)));
    } else if (verb == "isolate") {
      lose_all_of(id);
      return true;
    } else if (verb == "state") {
      out_ << world_->state_of(id) << "\n";
      return true;
    } else {
      return false;
    }
    story();
    return true;
  }

  /// reconfigure 1 1,2,4; transfer 1 2; snapshot 1 INDEX; install TO FROM; lose 1 COUNT
  bool upkeep(const std::string& verb, std::uint32_t id, const std::string& rest) {
    bool done = false;
    if (verb == "reconfigure") {
      std::vector<NodeId> voters;
      std::istringstream list(rest);
      for (std::string one; std::getline(list, one, ',');) {
        voters.emplace_back(static_cast<std::uint32_t>(std::stoul(one)));
      }
      done = world_->reconfigure(id, voters);
    } else if (verb == "transfer") {
      done = world_->transfer(id, static_cast<std::uint32_t>(std::stoul(rest)));
    } else if (verb == "snapshot") {
      done = world_->snapshot(id, Index(std::stoul(rest)));
    } else if (verb == "install") {
      done = world_->install(id, static_cast<std::uint32_t>(std::stoul(rest)));
    } else if (verb == "lose") {
      done = world_->lose_tail(id, std::stoul(rest));
    } else {
      return false;
    }
    if (!done) out_ << "refused\n";
    return true;
  }

  /// settle, state, quiet COMMAND (runs it without printing)
  bool of_world(const std::string& verb, std::istringstream& words) {
    if (verb == "settle") {
      world_->settle();
      story();
    } else if (verb == "state") {
      for (std::uint32_t id = 1; id <= world_->size(); ++id) out_ << world_->state_of(id) << "\n";
    } else if (verb == "quiet") {
      std::string command;
      std::getline(words >> std::ws, command);
      const std::string printed = run(command);
      out_.str(printed.find("error") == std::string::npos ? "" : printed);
      out_.seekp(0, std::ios::end);
    } else {
      return false;
    }
    return true;
  }

  void lose_all_of(std::uint32_t id) {
    for (std::uint32_t other = 1; other <= world_->size(); ++other) {
      while (world_->queued(id, other) > 0) world_->drop(id, other);
      while (world_->queued(other, id) > 0) world_->drop(other, id);
    }
  }

  void story() {
    for (const std::string& line : world_->story()) out_ << line << "\n";
  }

  std::optional<World> world_;
  std::ostringstream out_;
};

/// The same file with what its commands print now.
std::string played(std::istream& script) {
  Interpreter interpreter;
  std::ostringstream text;
  std::string printed;
  bool old_output = false;
  for (std::string line; std::getline(script, line);) {
    if (old_output) {
      old_output = !line.empty();
      if (!old_output) text << "\n";
    } else if (line == "----") {
      text << line << "\n" << printed;
      printed.clear();
      old_output = true;
    } else {
      text << line << "\n";
      if (!line.empty() && line[0] != '#') printed += interpreter.run(line);
    }
  }
  return text.str();
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> scripts() {
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  const auto folder = std::filesystem::path(root ? root : ".") / "tests" / "data" / "raft";
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".txt") found.push_back(file.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST_CASE("transcripts: groups behave word for word as written down (tests/data/raft)") {
  const bool rewrite = std::getenv("COFFER_REWRITE_GOLDEN") != nullptr;
  const auto all = scripts();
  REQUIRE(all.size() >= 12);
  for (const auto& path : all) {
    const std::string before = content(path);
    std::istringstream script(before);
    const std::string now = played(script);
    CAPTURE(path.filename().string());
    CHECK(now.find("error:") == std::string::npos);
    CHECK(now.find("BREACH") == std::string::npos);
    if (rewrite) {
      std::ofstream(path) << now;
    } else {
      CHECK(now == before);
    }
  }
}

}  // namespace
}  // namespace coffer::raft::test
