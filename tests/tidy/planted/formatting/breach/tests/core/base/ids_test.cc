#include "core/base/ids.h"
#include <vector>
