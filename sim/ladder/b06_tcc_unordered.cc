// B6. TC/C where messages overtake each other: a Cancel may come before its Try. Whoever receives such a Cancel leaves
// a flag, and refuses the Try that comes late. Source: Digital Wallet, figure 12.12.
#include "sim/ladder/rungs.h"
#include "sim/ladder/tcc.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b06_tcc_unordered() { return tcc({.delivery = Delivery::unordered}); }

}  // namespace coffer::sim::ladder
