// The `http` and `admin` listeners: HTTP/1.1 by Beast on the driver's thread. Grammar, limits and deadlines are here;
// what requests mean is in calls.h.
//
// Invariants:
//  H1  A head is checked whole, by header_grammar.h, before Beast reads it; a body is read only after the head was
//      found good, and never more of it than the limit.
//  H2  Head, body, answer and idleness each have a deadline; connections and bytes per connection are bounded.
//  H3  One request at a time per connection; pipelined ones wait in the socket.
// Threading: everything on the io_context's one thread.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "core/base/result.h"
#include "net/driver/driver.h"
#include "net/http/routes.h"

namespace coffer::net {

class HttpPort {
 public:
  HttpPort(boost::asio::io_context& io, Driver& driver, HttpListener listener);
  ~HttpPort();
  HttpPort(const HttpPort&) = delete;
  HttpPort& operator=(const HttpPort&) = delete;

  Result<void> start(const Endpoint& endpoint);
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coffer::net
