#include "sim/run/units.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace coffer::sim {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};
// Ascending.
constexpr Unit times[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"min", 60'000'000'000},
    {"h", 3'600'000'000'000},
};
constexpr Unit sizes[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

std::optional<std::int64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::int64_t number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(number, known.size, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

std::string format(std::int64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.size == 0) best = &unit;
  }
  return std::to_string(number / best->size) + std::string(best->name);
}

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto nanos = parse(text, times);
  return nanos ? std::optional(Duration{*nanos}) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = parse(text, sizes);
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes)) : std::nullopt;
}

std::string format_duration(Duration duration) { return format(duration.nanos, times); }

std::string format_size(std::uint64_t bytes) { return format(static_cast<std::int64_t>(bytes), sizes); }

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_edits = word.size() / 2 + 2;
  for (const std::string& candidate : known) {
    const std::size_t distance = edits(word, candidate);
    if (distance < best_edits) {
      best = candidate;
      best_edits = distance;
    }
  }
  return best;
}

}  // namespace coffer::sim
