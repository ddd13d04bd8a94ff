// An event to start from in tests, and events as bytes.
#pragma once

#include "core/ledger/events.h"

namespace coffer::ledger {

inline Bytes encoded(const Event& event) {
  Bytes bytes;
  ByteWriter out(bytes);
  encode(event, out);
  return bytes;
}

inline Decided sample_decided(Outcome outcome) {
  Decided decided;
  decided.operation = Operation::transfer;
  decided.outcome = outcome;
  decided.principal = PrincipalId(3);
  decided.home = AccountNumber(4);
  decided.debit = PocketNumber(5);
  decided.credit = PocketNumber(6);
  decided.amount = {7, currency_of("USD")};
  decided.id.bytes[0] = 8;
  decided.digest = {9, 10};
  return decided;
}

}  // namespace coffer::ledger
