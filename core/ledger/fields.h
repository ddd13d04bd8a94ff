// Fields of known sizes, written one after the other into one buffer and handed over at once: what is written for every
// transfer pays for one append, not for one a field. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/money.h"

namespace coffer::ledger {

template <std::size_t size>
class Fields {
 public:
  template <class T>
  Fields& put(T value) {
    static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>);
    check(at_ + sizeof value <= size, "fields have the size announced");
    std::memcpy(bytes_.data() + at_, &value, sizeof value);
    at_ += sizeof value;
    return *this;
  }
  Fields& put(const Money& amount) { return put(amount.currency).put(amount.minor); }
  void write(ByteWriter& out) const {
    check(at_ == size, "fields have the size announced");
    out.raw(bytes_);
  }

 private:
  std::array<std::byte, size> bytes_;
  std::size_t at_ = 0;
};

}  // namespace coffer::ledger
