// The only real clocks and the only real entropy of the program. Everything else is told the time.
// Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::net {

/// Both clocks, read one after the other. The wall clock's error is not known yet and told as zero.
Now read_clocks();
/// The monotonic clock alone; comparable with std::chrono::steady_clock's time since its epoch.
Instant monotonic_now();
/// Processor time of this process so far, all threads, user and system.
Duration processor_time();

/// Fresh randomness of the operating system, for seeds.
std::uint64_t fresh_seed();
/// A random UUID (RFC 9562, version 4).
Uuid fresh_uuid();

/// "2026-11-21T22:15:03.123456789Z" (RFC 3339, always nine digits). Stamps and wall times alike.
std::string rfc3339(std::int64_t nanos_since_1970);

}  // namespace coffer::net
