// A history that carries the product along.
#include "core/shard/shard.h"
