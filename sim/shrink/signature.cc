#include "sim/shrink/signature.h"

#include <cctype>

namespace coffer::sim::shrink {

namespace {

/// Up to the first list of details, each number as one "#".
std::string shape_of(const std::string& reason) {
  std::string shape;
  for (const char one : reason.substr(0, reason.find(';'))) {
    const bool digit = std::isdigit(static_cast<unsigned char>(one)) != 0;
    if (!digit) shape += one;
    if (digit && (shape.empty() || shape.back() != '#')) shape += '#';
  }
  return shape;
}

}  // namespace

Signature signature_of(const RunResult& result) {
  const bool has_shape = result.verdict == Verdict::violation;
  return {result.verdict, result.oracle, has_shape ? shape_of(result.reason) : ""};
}

}  // namespace coffer::sim::shrink
