// A history of what was seen.
#include "core/shard/observation.h"
