// Small files beside a node's log that belong to the driver, not to the core: settings, known peers, the mark that a
// directory may be founded. Written whole or not at all, and durable when the call returns. Blocking; any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace coffer::net {

/// Replaces directory/name: a new file, sync, rename, sync of the directory. Error: names the file and the reason.
Result<void> write_durably(const std::string& directory, const std::string& name, std::string_view text);
/// Renames within the directory, durably.
Result<void> rename_durably(const std::string& directory, const std::string& from, const std::string& to);
/// A file that does not exist is as good as removed.
Result<void> remove_durably(const std::string& directory, const std::string& name);

}  // namespace coffer::net
