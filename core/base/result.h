// Operating failures: what a caller could react to. Business outcomes are in outcome.h, broken invariants in check.h.
#pragma once

#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace coffer {

/// An error code exists only if some code could react to it.
enum class ErrorCode : unsigned char {
  malformed,    ///< bytes do not follow their grammar
  corrupt,      ///< a checksum or an identity does not match: never cut, never ignored
  unsupported,  ///< a version this binary does not know
  io,           ///< the driver reported a failed operation
};

struct Error {
  ErrorCode code;
  std::string what;  ///< names the file and position where there is one, and says what to do
};

template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] inline void throw_exception_from_error(const Error&, const boost::source_location&);

inline Error error(ErrorCode code, std::string what) { return Error{code, std::move(what)}; }

}  // namespace coffer

#include "core/base/check.h"

namespace coffer {

/// Boost calls this when value() is asked of an error: a programming mistake, so a broken invariant.
[[noreturn]] inline void throw_exception_from_error(const Error&, const boost::source_location&) {
  check_failed("value() called on an error");
}

}  // namespace coffer
