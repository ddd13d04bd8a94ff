#include "core/router/peek.h"

#include "core/base/codec.h"

namespace coffer::router {

std::optional<RequestHeader> peek_header(ByteView body) {
  ByteReader in(body);
  const std::uint8_t kind = in.u8();
  const std::uint8_t route = in.u8();
  in.u16();
  RequestHeader header;
  header.kind = static_cast<RequestKind>(kind);
  header.route = static_cast<Route>(route);
  header.shard = in.id<ShardId>();
  header.patience_ms = in.u32();
  header.tenant = in.id<TenantId>();
  header.principal = in.id<PrincipalId>();
  const bool known_route = route <= static_cast<std::uint8_t>(Route::direct);
  if (!in.ok() || !is_request_kind(kind) || !known_route) {
    return std::nullopt;
  }
  return header;
}

}  // namespace coffer::router
