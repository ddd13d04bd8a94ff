// B6x. The same without the flag: the late Try takes money for a transfer that has been cancelled, and nobody gives it
// back. Source: Digital Wallet, figure 12.12.
#include "sim/ladder/rungs.h"
#include "sim/ladder/tcc.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b06x_no_flag() { return tcc({.out_of_order_flag = false, .delivery = Delivery::unordered}); }

}  // namespace coffer::sim::ladder
