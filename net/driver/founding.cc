#include "net/driver/founding.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "net/driver/small_file.h"

namespace coffer::net {

namespace {

namespace fs = std::filesystem;

constexpr const char* mark = "found-me";
/// What may lie in a directory in which no node ever lived.
constexpr std::array<std::string_view, 5> without_life = {mark, "found-me.new", "lock", "peers.json", "peers.json.new"};

bool has_lived(const std::string& directory) {
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed); !failed && at != fs::directory_iterator(); at.increment(failed)) {
    if (std::find(without_life.begin(), without_life.end(), at->path().filename().string()) == without_life.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<void> allow_founding(const std::string& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) {
    return error(ErrorCode::io, directory + " cannot be created: " + failed.message());
  }
  if (has_lived(directory)) {
    return error(ErrorCode::io, directory + " is not empty: a node lives there or did, and nothing is founded over it");
  }
  return write_durably(directory, mark, "the first start of a node may found this directory\n");
}

bool founding_allowed(const std::string& directory) {
  std::error_code ignored;
  return fs::exists(fs::path(directory) / mark, ignored);
}

Result<void> end_founding(const std::string& directory) { return remove_durably(directory, mark); }

Result<void> check_not_lost(const std::string& directory, NodeId node) {
  if (founding_allowed(directory) || has_lived(directory)) {
    return {};
  }
  const std::string number = std::to_string(node.value);
  return error(ErrorCode::io,
               directory + " is missing or empty, and may not be founded: the disk of node " + number +
                   " was lost, emptied or not mounted. Mount it if it exists. A lost disk has lost votes and never "
                   "comes back under its old number; a new node takes its place: `coffer join --replace " +
                   number +
                   " --cluster-of DIRECTORY_OR_ADMIN_ADDRESS`. (Before the very first start of a node: "
                   "`coffer init --config FILE`.)");
}

}  // namespace coffer::net
