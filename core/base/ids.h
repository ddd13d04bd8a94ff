// Identifiers. Each is its own type, so that a term is never passed for an index; none converts implicitly.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

namespace coffer {

template <class Tag, class Rep>
struct StrongId {
  using rep = Rep;
  Rep value{};

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr StrongId next() const { return StrongId(static_cast<Rep>(value + 1)); }
};

/// A member process of the cluster, 1-based; 0 is nobody.
using NodeId = StrongId<struct NodeIdTag, std::uint32_t>;
/// A shard, and the Raft group that replicates it, 1-based. Never reused.
using ShardId = StrongId<struct ShardIdTag, std::uint32_t>;
/// Raft term; 0 before the first election.
using Term = StrongId<struct TermTag, std::uint64_t>;
/// Raft log index, 1-based, dense; 0 is "before the first entry".
using Index = StrongId<struct IndexTag, std::uint64_t>;
/// Dense number of an event within a shard, 1-based. One Raft entry covers a range of positions.
using Position = StrongId<struct PositionTag, std::uint64_t>;
/// Dense number of an account (tenant, string id) within a shard. Never reused.
using AccountNumber = StrongId<struct AccountNumberTag, std::uint32_t>;
/// Dense number of a pocket (account, currency) within a shard. Never reused.
using PocketNumber = StrongId<struct PocketNumberTag, std::uint32_t>;
/// Number of a leg between one source and one target shard: contiguous from 1.
using LegNumber = StrongId<struct LegNumberTag, std::uint64_t>;
using TenantId = StrongId<struct TenantIdTag, std::uint32_t>;
using PrincipalId = StrongId<struct PrincipalIdTag, std::uint32_t>;
/// One client connection (or in-process caller) of a node; chosen by the driver, unique per node lifetime.
using ClientId = StrongId<struct ClientIdTag, std::uint64_t>;
/// A request of one client; chosen by the client, used once per connection: a number that comes again is a repetition.
using RequestId = StrongId<struct RequestIdTag, std::uint64_t>;
/// Names one io effect until its result comes back.
using IoToken = StrongId<struct IoTokenTag, std::uint64_t>;
/// Hash slot: XXH3(tenant, account id) mod slot_count.
using Slot = StrongId<struct SlotTag, std::uint16_t>;

inline constexpr std::uint32_t slot_count = 16384;
inline constexpr PocketNumber no_pocket{0xFFFF'FFFFu};
inline constexpr AccountNumber no_account{0xFFFF'FFFFu};
inline constexpr NodeId nobody{0};
inline constexpr TenantId default_tenant{0};

/// 128-bit identifier in RFC 9562 byte order: transactions, clusters, nodes.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  constexpr auto operator<=>(const Uuid&) const = default;
};

/// The client's transaction id: the deduplication key within (tenant, home account).
using TransferId = Uuid;

}  // namespace coffer

template <class Tag, class Rep>
struct std::hash<coffer::StrongId<Tag, Rep>> {
  std::size_t operator()(const coffer::StrongId<Tag, Rep>& id) const noexcept {
    return static_cast<std::size_t>(id.value);
  }
};
