// A shard that uses the router itself.
#include "core/router/router.h"
