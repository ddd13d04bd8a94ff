#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/check.h"
#include "core/base/outcome.h"
#include "core/base/trace.h"

namespace {

using namespace coffer;

bool consists_of(std::string_view text, char separator) {
  for (const char c : text) {
    if ((c < 'a' || c > 'z') && c != separator) return false;
  }
  return !text.empty();
}

TEST_CASE("every outcome has its own name in kebab case, and no other number is an outcome") {
  std::set<std::string> names;
  for (int i = 0; i < 256; ++i) {
    const bool known =
        i <= 1 || (i >= 10 && i <= 17) || (i >= 40 && i <= 56) || (i >= 60 && i <= 65) || i == 80 || i == 81;
    if (!known) {
      REQUIRE_THROWS_AS(name(static_cast<Outcome>(i)), CheckFailure);
      continue;
    }
    const std::string_view text = name(static_cast<Outcome>(i));
    REQUIRE(consists_of(text, '-'));
    REQUIRE(names.emplace(text).second);
  }
  REQUIRE(name(Outcome::insufficient_funds) == "insufficient-funds");
  REQUIRE(name(Outcome::unknown) == "outcome-unknown");
}

TEST_CASE("outcomes are logged, retryable or neither, never both") {
  for (int i = 0; i < 256; ++i) {
    REQUIRE_FALSE((is_logged(static_cast<Outcome>(i)) && is_retryable(static_cast<Outcome>(i))));
  }
  REQUIRE(is_logged(Outcome::success));
  REQUIRE(is_logged(Outcome::balance_overflow));
  REQUIRE_FALSE(is_logged(Outcome::pending));
  REQUIRE_FALSE(is_logged(Outcome::account_not_found));
  REQUIRE(is_retryable(Outcome::wrong_shard));
  REQUIRE(is_retryable(Outcome::account_busy));
  REQUIRE_FALSE(is_retryable(Outcome::unknown));
}

TEST_CASE("every trace kind has its own name in snake case") {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(last_trace_kind); ++i) {
    const std::string_view text = name(static_cast<TraceKind>(i));
    REQUIRE(consists_of(text, '_'));
    REQUIRE(names.emplace(text).second);
  }
  REQUIRE(name(TraceKind::saga_compensated) == "saga_compensated");
  REQUIRE_THROWS_AS(name(static_cast<TraceKind>(static_cast<int>(last_trace_kind) + 1)), CheckFailure);
}

}  // namespace
