#include "core/ledger/commands.h"

#include <array>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/codec.h"

namespace coffer::ledger {

namespace {

constexpr std::string_view reserved_prefix = "sys:";

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Which characters may follow the first: [A-Za-z0-9._:-].
constexpr auto follows = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] = is_alphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '-';
  }
  return table;
}();

/// digest input := operation u8 | tenant u32 | currency u32 | minor i64 | debit_size u32 | credit_size u32 | debit |
/// credit
constexpr std::size_t digest_fixed_size = 1 + 4 + 4 + 8 + 4 + 4;

void write_digest_input(const TransferCommand& command, std::byte* out) {
  const auto put = [&out](const void* from, std::size_t size) {
    if (size == 0) return;
    std::memcpy(out, from, size);
    out += size;
  };
  const auto debit_size = static_cast<std::uint32_t>(command.debit_account.size());
  const auto credit_size = static_cast<std::uint32_t>(command.credit_account.size());
  put(&command.operation, 1);
  put(&command.tenant.value, 4);
  put(&command.amount.currency.packed, 4);
  put(&command.amount.minor, 8);
  put(&debit_size, 4);
  put(&credit_size, 4);
  put(command.debit_account.data(), debit_size);
  put(command.credit_account.data(), credit_size);
}

}  // namespace

Hash128 digest_of(const TransferCommand& command) {
  constexpr std::size_t small = digest_fixed_size + 2 * account_name_max;
  const std::size_t size = digest_fixed_size + command.debit_account.size() + command.credit_account.size();
  if (size <= small) {
    std::array<std::byte, small> input;
    write_digest_input(command, input.data());
    return hash128(ByteView(input).first(size));
  }
  Bytes input(size);  // names outside the grammar; decide refuses them anyway
  write_digest_input(command, input.data());
  return hash128(input);
}

Hash128 digest_of(const PlaceHoldCommand& command) {
  Bytes input;
  ByteWriter out(input);
  out.u8(static_cast<std::uint8_t>(Operation::hold));
  out.id(command.tenant);
  out.u32(command.amount.currency.packed);
  out.i64(command.amount.minor);
  out.i64(command.expires_in.nanos);
  out.raw(bytes_of(command.account));
  return hash128(input);
}

Hash128 digest_of(const SplitCommand& command) {
  Bytes input;
  ByteWriter out(input);
  out.u8(static_cast<std::uint8_t>(Operation::split));
  out.id(command.tenant);
  out.u32(command.currency.packed);
  out.blob(bytes_of(command.debit_account));
  for (const SplitCommand::Part& part : command.parts) {
    out.i64(part.amount);
    out.blob(bytes_of(part.credit_account));
  }
  return hash128(input);
}

TransferCommand CaptureHoldCommand::transfer() const {
  TransferCommand command;
  command.operation = Operation::transfer;
  command.id = capture_id_of(id);
  command.tenant = tenant;
  command.principal = principal;
  command.debit_account = account;
  command.credit_account = credit_account;
  command.amount = amount;
  command.credit_shard = credit_shard;
  return command;
}

TransferId capture_id_of(const TransferId& hold) {
  constexpr std::string_view purpose = "capture";
  Bytes input;
  ByteWriter out(input);
  out.raw(bytes_of(purpose));
  out.uuid(hold);
  const Hash128 digest = hash128(input);
  TransferId id;
  std::memcpy(id.bytes.data(), &digest.low, sizeof digest.low);
  std::memcpy(id.bytes.data() + sizeof digest.low, &digest.high, sizeof digest.high);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);  // version 8: RFC 9562, section 5.8
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);  // its variant
  return id;
}

bool is_account_name(std::string_view name) {
  if (name.empty() || name.size() > account_name_max || !is_alphanumeric(name.front())) return false;
  for (const char c : name) {
    if (!follows[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_reserved(std::string_view name) { return name.starts_with(reserved_prefix); }

}  // namespace coffer::ledger
