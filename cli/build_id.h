// The identity of this build: which sources it was made from. Printed with every verdict.
#pragma once

#include <string_view>

namespace coffer::cli {

/// Commit id of twelve digits; "-dirty-" and a hash of the sources follow when they differ from that commit.
/// Without git: "tree-" and the hash alone.
/// Ensures: the same source tree gives the same id, whatever the compiler and its options.
std::string_view build_id();

}  // namespace coffer::cli
