#include "net/driver/journal.h"

#include <string>

#include <unistd.h>

#include "net/driver/clock.h"

namespace coffer::net {

namespace {

std::string_view name(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "?";
}

}  // namespace

void journal(Level level, std::string_view line) {
  std::string text = rfc3339(read_clocks().wall.nanos);
  text.append(" ").append(name(level)).append(" ").append(line).append("\n");
  // A log that cannot be written must not stop the wallet.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace coffer::net
