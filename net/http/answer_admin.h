// What operators are told: sums, the state of a node, whether it is ready. Pure, but for a node's own processor time.
#pragma once

#include "core/router/protocol.h"
#include "net/driver/driver.h"
#include "net/http/messages.h"

namespace coffer::net {

HttpResponse answer_trial_balance(const router::TrialBalanceReply& reply);
HttpResponse answer_node(const router::NodeStatusReply& reply, const DriverCounters& counters);
/// Ready: recovery has ended, and every shard here knows its leader. `verbose`: with the state of each.
HttpResponse answer_ready(const router::NodeStatusReply& reply, bool verbose);

}  // namespace coffer::net
