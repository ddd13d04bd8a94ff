// Forgets <string>.
#pragma once

namespace coffer {
inline std::string name() { return "x"; }
}  // namespace coffer
