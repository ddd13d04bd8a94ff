#include "core/base/toy.h"

namespace toy {

long deposited(long seed) { return seed; }

long forgotten(long seed) { return -seed; }

}  // namespace toy
