// `coffer sim fuzz --first-seed S --seeds N …`: a seed fails when its balance is wrong.
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "core/base/toy.h"

int main(int argc, char** argv) {
  long first = 1;
  long seeds = 0;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--first-seed") == 0) first = std::atol(argv[i + 1]);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::atol(argv[i + 1]);
  }
  const char* separator = "";
  std::cout << "{\"failures\": [";
  for (long seed = first; seed < first + seeds; ++seed) {
    const long balance = toy::deposited(seed);
    if (balance == seed) continue;
    const char* oracle = balance < 0 ? "check" : "O-L1";
    std::cout << separator << "{\"seed\": " << seed << ", \"verdict\": \"violation\", \"oracle\": \"" << oracle
              << "\", \"reason\": \"balance " << balance << "\"}";
    separator = ", ";
  }
  std::cout << "]}\n";
  return 0;
}
