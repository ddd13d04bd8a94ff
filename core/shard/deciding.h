// One batch in the making: what a serving leader has decided so far, and who is to be told. Private to the shard's own
// files.
#pragma once

#include <map>
#include <vector>

#include "core/shard/shard.h"

namespace coffer::shard {

/// One batch in the making.
struct Shard::Deciding {
  struct Request {
    WaitingRoom::Ticket ticket;
    Caller caller;
    router::Reply reply;
    WaitingRoom::Needs needs;
    Instant deadline;
  };
  struct Logged {
    ShardId target;
    txn::LegAnswer answer;
    txn::AnswerDecision decision;
  };

  Deciding(txn::StateMachine& state, Stamp stamp, ledger::Protocol protocol, const txn::IdRules& ids)
      : batch(state, stamp, protocol, ids) {}

  txn::Batch batch;
  std::vector<Request> requests;
  std::vector<Logged> answers;
  std::vector<LegToTell> legs_to_tell;
  std::map<ShardId, LegNumber> started;
  std::map<ShardId, LegNumber> answered;
};

}  // namespace coffer::shard
