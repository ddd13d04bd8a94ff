#include "core/txn/protocols.h"

#include "core/base/check.h"
#include "core/txn/saga.h"
#include "core/txn/tcc.h"
#include "core/txn/two_phase_commit.h"

namespace coffer::txn {

const std::vector<ProtocolRow>& protocols() {
  static const std::vector<ProtocolRow> rows = {
      saga::row(),
      tcc::row(),
      two_phase_commit::row(),
  };
  return rows;
}

const ProtocolRow& row_of(ledger::Protocol protocol) {
  for (const ProtocolRow& row : protocols()) {
    if (row.protocol == protocol) return row;
  }
  check_failed("every protocol has a row");
}

const ProtocolRow* find_protocol(std::string_view name) {
  for (const ProtocolRow& row : protocols()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace coffer::txn
