// Try, Confirm, Cancel. A wallet service coordinates: it keeps the phase status table on its disk, so that it goes on
// where it was after a crash. Every phase is a local transaction of its own at each of the two participants; what each
// of them does to its account in each phase is a table (Digital Wallet, tables 12.2 and 12.4), and so is the one thing
// a participant may forget (the out-of-order flag). No answer to a Try within try_patience counts as a no.
#pragma once

#include <memory>

#include "sim/ladder/design.h"

namespace coffer::sim::ladder {

inline constexpr Duration try_patience = milliseconds(300);

/// What the phases do to one account, as multiples of the amount. 0 is a NOP: the participant looks whether it could,
/// and changes nothing.
struct TccLeg {
  std::int64_t at_try = 0;
  std::int64_t at_confirm = 0;
  std::int64_t at_cancel = 0;
};

struct TccOptions {
  TccLeg debit{-1, 0, +1};
  TccLeg credit{0, +1, 0};
  /// A participant that is asked to cancel what it has not seen remembers it, and refuses the Try that comes late.
  bool out_of_order_flag = true;
  Delivery delivery = Delivery::in_order;
};

std::unique_ptr<Design> tcc(const TccOptions& options);

}  // namespace coffer::sim::ladder
