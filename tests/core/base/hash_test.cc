#include "core/base/hash.h"

#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace {

using namespace coffer;

TEST_CASE("hashes are XXH3 as published: golden values") {
  REQUIRE(hash64({}) == 0x2D06800538D394C2u);  // XXH3-64 of nothing, from the specification of xxHash
  REQUIRE(hash128({}) == (Hash128{0x6001C324468D497Fu, 0x99AA06D3014798D8u}));
  REQUIRE(hash64(bytes_of("alice")) == 5593767425381308080u);
  REQUIRE(hash64(bytes_of("alice"), 1) == 7609801631743587685u);
  REQUIRE(hash128(bytes_of("alice")) == (Hash128{14528951231371763154u, 5240945981558778618u}));
}

TEST_CASE("an account's slot is fixed for ever and depends on its tenant (design, Money and identity)") {
  REQUIRE(slot_of(TenantId(0), "alice") == Slot(5808));
  REQUIRE(slot_of(TenantId(1), "alice") == Slot(13669));
  std::set<Slot> slots;
  for (int i = 0; i < 1000; ++i) {
    const Slot slot = slot_of(TenantId(0), "account-" + std::to_string(i));
    REQUIRE(slot.value < slot_count);
    slots.insert(slot);
  }
  REQUIRE(slots.size() > 950);
}

}  // namespace
