// `coffer sim fuzz --first-seed S --seeds N …`: a seed fails when its balance is wrong. `sim shrink --seed S
// --write-scenario FILE` writes down which, with odd words for an id, and `sim run FILE` runs it again.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include "core/base/toy.h"

namespace {

std::string reason_of(long seed) { return "balance " + std::to_string(toy::deposited(seed)); }

std::string told(long seed, const char* oracle) {
  if (toy::deposited(seed) == seed) return "\"verdict\": \"pass\", \"oracle\": \"\", \"reason\": \"\"";
  return "\"verdict\": \"violation\", \"oracle\": \"" + std::string(oracle) + "\", \"reason\": \"" + reason_of(seed) +
         "\"";
}

}  // namespace

int main(int argc, char** argv) {
  long first = 1;
  long seeds = 0;
  long one = 0;
  std::string file;
  const std::string verb = argc > 2 ? argv[2] : "";
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--first-seed") == 0) first = std::atol(argv[i + 1]);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::atol(argv[i + 1]);
    if (std::strcmp(argv[i], "--seed") == 0) one = std::atol(argv[i + 1]);
    if (std::strcmp(argv[i], "--write-scenario") == 0) file = argv[i + 1];
  }
  if (verb == "shrink") {
    std::ofstream(file) << one;
    std::cout << "{" << told(one, "O-L1")
              << ", \"operations\": 2, \"faults\": [\"a drop\"], \"nodes\": 1, \"shards\": 1, "
              << "\"clients\": 1, \"runs\": 5, \"finished\": true}\n";
    return 0;
  }
  if (verb == "run") {
    std::ifstream(argv[3]) >> one;
    std::cout << "{" << told(one, "O-L1") << "}\n";
    return 0;
  }
  const char* separator = "";
  std::cout << "{\"failures\": [";
  for (long seed = first; seed < first + seeds; ++seed) {
    const long balance = toy::deposited(seed);
    if (balance == seed) continue;
    const char* oracle = balance < 0 ? "check" : "O-L1";
    std::cout << separator << "{\"seed\": " << seed << ", " << told(seed, oracle) << "}";
    separator = ", ";
  }
  std::cout << "]}\n";
  return 0;
}
