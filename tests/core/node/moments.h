// The steps of a transfer across shards by each protocol, as traces name them: where tests lose a leader.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/trace.h"
#include "core/ledger/protocol.h"

namespace coffer::node {

/// The nth time that something is traced while one transfer runs.
struct Moment {
  TraceKind kind;
  std::uint64_t nth = 1;
};

inline std::vector<Moment> moments_of(ledger::Protocol protocol, bool is_refused) {
  using enum TraceKind;
  switch (protocol) {
    case ledger::Protocol::saga:
      return {{saga_started}, {leg_sent}, {leg_received}, {leg_answer}, {is_refused ? saga_compensated : saga_done}};
    case ledger::Protocol::tcc:
      return {{try_started},
              {leg_sent},
              {leg_received},
              {leg_answer},
              {is_refused ? cancel_started : confirm_started},
              {leg_sent, 2},
              {leg_received, 2},
              {leg_answer, 2},
              {is_refused ? cancel_done : confirm_done}};
    case ledger::Protocol::two_phase_commit:
      return {{prepare_started},
              {leg_sent},
              {leg_received},
              {leg_answer},
              {is_refused ? abort_started : commit_started},
              {leg_sent, 2},
              {leg_received, 2},
              {leg_answer, 2},
              {is_refused ? abort_done : commit_done}};
  }
  return {};
}

}  // namespace coffer::node
