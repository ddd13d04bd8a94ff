#include "core/router/single_result.h"

#include <variant>

namespace coffer::router {

const TransferResult* single_result(const Reply& reply) {
  if (const auto* placed = std::get_if<PlaceHoldReply>(&reply.body)) return &placed->result;
  if (const auto* captured = std::get_if<CaptureHoldReply>(&reply.body)) return &captured->result;
  if (const auto* split = std::get_if<SplitReply>(&reply.body)) return &split->result;
  return nullptr;
}

}  // namespace coffer::router
