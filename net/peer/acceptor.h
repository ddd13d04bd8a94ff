// A listening socket that hands over each connection, and survives being out of file descriptors.
// Threading: everything on the io_context's one thread.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.h"
#include "net/driver/settings.h"

namespace coffer::net {

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  using OnAccept = std::function<void(boost::asio::ip::tcp::socket)>;
  Acceptor(boost::asio::io_context& io, OnAccept on_accept);
  /// Error: names the address and why it cannot be listened on.
  Result<void> listen(const Endpoint& endpoint);
  void stop();

 private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  OnAccept on_accept_;
  bool stopped_ = false;
};

}  // namespace coffer::net
