// Byte buffers and views: the only currency in which messages, files and entries cross a seam.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace coffer {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// Immutable bytes shared by the log's cache, the frame being written and the messages that carry them.
/// One allocation per batch, never per transfer. Null means empty.
using SharedBytes = std::shared_ptr<const Bytes>;

inline ByteView view(const SharedBytes& shared) { return shared ? ByteView(*shared) : ByteView(); }

}  // namespace coffer
