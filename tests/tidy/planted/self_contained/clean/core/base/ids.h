// Includes what it uses.
#pragma once

#include <string>

namespace coffer {
inline std::string name() { return "x"; }
}  // namespace coffer
