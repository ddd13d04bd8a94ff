// What the toy's bugs are planted in.
#pragma once

namespace toy {

/// The balance after `seed` deposits of 1. Requires: seed >= 0.
long deposited(long seed);
/// Never asked.
long forgotten(long seed);

}  // namespace toy
