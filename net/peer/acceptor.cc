#include "net/peer/acceptor.h"

#include <chrono>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace coffer::net {

namespace asio = boost::asio;

Acceptor::Acceptor(asio::io_context& io, OnAccept on_accept)
    : acceptor_(io), pause_(io), on_accept_(std::move(on_accept)) {}

Result<void> Acceptor::listen(const Endpoint& endpoint) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(endpoint.host, failed);
  const asio::ip::tcp::endpoint at(address, endpoint.port);
  if (!failed) acceptor_.open(at.protocol(), failed);
  if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor_.bind(at, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    return error(ErrorCode::io, "cannot listen on " + to_string(endpoint) + ": " + failed.message() +
                                    "; another process may be using the port (see `ss -ltnp`)");
  }
  accept();
  return {};
}

void Acceptor::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Acceptor::accept() {
  acceptor_.async_accept(
      [self = shared_from_this()](const boost::system::error_code& failed, asio::ip::tcp::socket socket) {
        if (self->stopped_) {
          return;
        }
        if (!failed) {
          self->on_accept_(std::move(socket));
          self->accept();
          return;
        }
        // Out of descriptors, or the connection died in the queue: a short rest instead of a busy loop.
        self->pause_.expires_after(std::chrono::milliseconds(50));
        self->pause_.async_wait([self](const boost::system::error_code&) {
          if (!self->stopped_) {
            self->accept();
          }
        });
      });
}

}  // namespace coffer::net
