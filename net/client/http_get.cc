#include "net/client/http_get.h"

#include <chrono>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace coffer::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

Result<std::string> http_get(const Endpoint& endpoint, const std::string& path, Duration timeout) {
  asio::io_context io{1};
  beast::tcp_stream stream(io);
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, to_string(endpoint));
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  beast::error_code failed;
  const asio::ip::tcp::endpoint to(asio::ip::make_address(endpoint.host, failed), endpoint.port);
  stream.expires_after(std::chrono::nanoseconds(timeout.nanos));
  const auto note = [&](const beast::error_code& error, std::size_t) { failed = error; };
  stream.async_connect(to, [&](const beast::error_code& refused) {
    failed = refused;
    if (refused) return;
    http::async_write(stream, request, [&](const beast::error_code& unsent, std::size_t) {
      failed = unsent;
      if (unsent) return;
      http::async_read(stream, buffer, response, note);
    });
  });
  io.run();
  if (failed) {
    return error(ErrorCode::io, to_string(endpoint) + path + ": " + failed.message());
  }
  if (response.result() != http::status::ok) {
    return error(ErrorCode::io, to_string(endpoint) + path + ": HTTP status " + std::to_string(response.result_int()));
  }
  return std::move(response.body());
}

}  // namespace coffer::net
