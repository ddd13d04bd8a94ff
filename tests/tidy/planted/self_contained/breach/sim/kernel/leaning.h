// Leans on a header that is not enough.
#pragma once

#include "core/base/good.h"

inline coffer::Missing missing() { return {}; }
