#include "tests/core/log/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/log/block.h"

namespace coffer::log {

std::string hex_rows(ByteView bytes) {
  std::ostringstream out;
  out << std::hex << "size " << bytes.size() << '\n';
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const ByteView row = bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at));
    if (is_blank(row)) continue;
    out << at << ':';
    for (const std::byte byte : row) {
      const auto value = static_cast<unsigned>(byte);
      out << ' ' << (value < 16 ? "0" : "") << value;
    }
    out << '\n';
  }
  return out.str();
}

std::string golden_rows(const std::string& name, ByteView bytes) {
  const char* const root = std::getenv("COFFER_SOURCE_DIR");
  const std::string path = std::string(root ? root : ".") + "/tests/data/log/" + name + ".hex";
  if (std::getenv("COFFER_REWRITE_GOLDEN")) {
    std::ofstream(path) << hex_rows(bytes);
  }
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  return golden.str();
}

}  // namespace coffer::log
