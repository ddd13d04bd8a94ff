// The table of holds by itself: rows in the order placed, the live ones by their expiry, and all of it undone.
#include <algorithm>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/check.h"
#include "core/txn/holds.h"

namespace {

using namespace coffer;
using namespace coffer::txn;
using ledger::HoldEnd;

HoldRow row_of(ledger::DedupNumber dedup, std::int64_t expires, HoldEnd end = HoldEnd::live) {
  return {dedup, PocketNumber(3), 7, Stamp{expires}, end};
}

Bytes exported(const Holds& holds) {
  Bytes bytes;
  ByteWriter out(bytes);
  holds.export_rows(out);
  return bytes;
}

TEST_CASE("a hold is found by its id's row, and only by that") {
  Holds holds;
  REQUIRE(holds.find(0) == no_hold);
  for (const ledger::DedupNumber dedup : {2u, 3u, 9u, 70u, 71u}) holds.place(row_of(dedup, 10));
  REQUIRE(holds.find(2) == 0);
  REQUIRE(holds.find(9) == 2);
  REQUIRE(holds.find(71) == 4);
  for (const ledger::DedupNumber dedup : {0u, 1u, 4u, 10u, 72u}) REQUIRE(holds.find(dedup) == no_hold);
  REQUIRE_THROWS_AS(holds.place(row_of(71, 10)), CheckFailure);
  REQUIRE_THROWS_AS(holds.place(row_of(80, 10, HoldEnd::voided)), CheckFailure);
}

TEST_CASE("who expires first is known, of those together the first placed, and an end is once (known bug 32)") {
  Holds holds;
  REQUIRE(holds.first_to_expire() == no_hold);
  holds.place(row_of(1, 30));
  holds.place(row_of(2, 20));
  holds.place(row_of(3, 20));
  REQUIRE(holds.first_to_expire() == 1);
  holds.end(1, HoldEnd::captured);
  REQUIRE(holds.first_to_expire() == 2);
  REQUIRE_THROWS_AS(holds.end(1, HoldEnd::voided), CheckFailure);
  REQUIRE_THROWS_AS(holds.end(2, HoldEnd::live), CheckFailure);
  REQUIRE_THROWS_AS(holds.revive(1, HoldEnd::voided), CheckFailure);
  REQUIRE_THROWS_AS(holds.revive(2, HoldEnd::live), CheckFailure);
  holds.revive(1, HoldEnd::captured);
  REQUIRE(holds.first_to_expire() == 1);
  holds.end(2, HoldEnd::expired);
  REQUIRE_THROWS_AS(holds.unplace_last(), CheckFailure);
  REQUIRE(holds.live() == 2);
}

/// What the table should say, as a plain list.
struct Reference {
  std::vector<HoldRow> rows;

  HoldNumber first_to_expire() const {
    std::optional<HoldNumber> first;
    for (HoldNumber number = 0; number < rows.size(); ++number) {
      const bool is_earlier = !first || rows[number].expires < rows[*first].expires;
      if (rows[number].end == HoldEnd::live && is_earlier) first = number;
    }
    return first.value_or(no_hold);
  }
};

TEST_CASE("property: holds are a list of rows, loaded as they were exported, and undone in reverse") {
  REQUIRE(rc::check("property: holds = list", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps) {
    Holds holds;
    Reference reference;
    std::vector<std::pair<std::optional<HoldNumber>, Bytes>> undo;  ///< what ended, or nothing: placed; and before that
    for (const auto& [kind, draw] : steps) {
      const bool ends = kind % 3 == 0 && !reference.rows.empty();
      const auto number = static_cast<HoldNumber>(ends ? draw % reference.rows.size() : 0);
      if (ends && reference.rows[number].end != HoldEnd::live) continue;
      undo.emplace_back(ends ? std::optional(number) : std::nullopt, exported(holds));
      if (ends) {
        reference.rows[number].end = static_cast<HoldEnd>(1 + kind / 3 % 3);
        holds.end(number, reference.rows[number].end);
      } else {
        const ledger::DedupNumber after = reference.rows.empty() ? 0 : reference.rows.back().dedup + 1;
        reference.rows.push_back(row_of(after + kind / 3 % 4, 1 + draw % 8));
        RC_ASSERT(holds.place(reference.rows.back()) == reference.rows.size() - 1);
      }
      RC_ASSERT(holds.first_to_expire() == reference.first_to_expire());
    }
    const Bytes bytes = exported(holds);
    RC_ASSERT(bytes.size() == holds.export_size());
    Holds loaded;
    ByteReader in(bytes);
    for (std::uint64_t left = in.u64(); left > 0; --left) RC_ASSERT(loaded.load(decode_hold_row(in)));
    RC_ASSERT(in.done());
    RC_ASSERT(exported(loaded) == bytes);
    RC_ASSERT(loaded.first_to_expire() == holds.first_to_expire());
    Holds::Frozen frozen(holds);
    for (; !undo.empty(); undo.pop_back()) {
      const auto& [ended, before] = undo.back();
      if (ended) {
        holds.revive(*ended, holds.row(*ended).end);
      } else {
        holds.unplace_last();
      }
      RC_ASSERT(exported(holds) == before);
    }
    RC_ASSERT(holds.first_to_expire() == no_hold);
    Bytes then;
    ByteWriter out(then);
    while (frozen.write_next(out)) {
    }
    RC_ASSERT(then == bytes);
  }));
}

}  // namespace
