#include "net/driver/clock.h"

#include <chrono>
#include <cstdio>

#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/check.h"

namespace coffer::net {

Instant monotonic_now() {
  const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

Now read_clocks() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {.monotonic = monotonic_now(),
          .wall = {std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()},
          .wall_error = {}};
}

Duration processor_time() {
  rusage usage{};
  check(getrusage(RUSAGE_SELF, &usage) == 0, "the kernel tells a process what it has used");
  const auto nanos = [](const timeval& t) { return t.tv_sec * 1'000'000'000 + t.tv_usec * 1'000; };
  return nanoseconds(nanos(usage.ru_utime) + nanos(usage.ru_stime));
}

std::uint64_t fresh_seed() {
  std::uint64_t seed = 0;
  check(getrandom(&seed, sizeof seed, 0) == sizeof seed, "the kernel gives eight random bytes");
  return seed;
}

Uuid fresh_uuid() {
  Uuid uuid;
  check(getrandom(uuid.bytes.data(), uuid.bytes.size(), 0) == static_cast<ssize_t>(uuid.bytes.size()),
        "the kernel gives sixteen random bytes");
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0Fu) | 0x40u);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3Fu) | 0x80u);
  return uuid;
}

std::string rfc3339(std::int64_t nanos_since_1970) {
  std::int64_t seconds = nanos_since_1970 / 1'000'000'000;
  std::int64_t nanos = nanos_since_1970 % 1'000'000'000;
  if (nanos < 0) {
    nanos += 1'000'000'000;
    --seconds;
  }
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(nanos));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace coffer::net
