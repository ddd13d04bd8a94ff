// Includes what it uses of ours.
#pragma once

#include "core/base/ids.h"

inline std::string twice() { return coffer::name() + coffer::name(); }
