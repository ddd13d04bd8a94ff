#include "net/http/http_port.h"

#include <chrono>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "net/driver/clock.h"
#include "net/http/calls.h"
#include "net/http/header_grammar.h"
#include "net/peer/acceptor.h"

namespace coffer::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t connections_max = 1024;
constexpr std::size_t waiting_bytes_max = 256u << 20;
constexpr auto idle_deadline = std::chrono::seconds(60);
constexpr auto head_deadline = std::chrono::seconds(5);
constexpr auto body_deadline = std::chrono::seconds(5);
constexpr auto write_deadline = std::chrono::seconds(10);
constexpr auto linger_deadline = std::chrono::seconds(1);
constexpr std::size_t linger_bytes_max = 1u << 20;
constexpr auto late_after = std::chrono::milliseconds(1500);  // beyond the patience the node was given

using Parser = http::request_parser<http::string_body>;

HttpRequest plain(const http::request<http::string_body>& message) {
  const auto text = [](beast::string_view v) { return std::string(v.data(), v.size()); };
  const std::string target = text(message.target());
  const std::size_t question = std::min(target.find('?'), target.size());
  return {.method = text(message.method_string()),
          .path = target.substr(0, question),
          .query = question < target.size() ? target.substr(question + 1) : "",
          .accept = text(message[http::field::accept]),
          .content_type = text(message[http::field::content_type]),
          .idempotency_key = text(message["Idempotency-Key"]),
          .prefer = text(message["Prefer"]),
          .body = message.body()};
}

}  // namespace

struct HttpPort::State final : ReplySink, std::enable_shared_from_this<HttpPort::State> {
  class Session;

  State(asio::io_context& context, Driver& d, HttpListener l)
      : io(context), driver(d), listener(l), client(d.add_client(*this)) {}

  void on_reply(RequestId request, Bytes body) override;
  void accept(tcp::socket socket);

  asio::io_context& io;
  Driver& driver;
  HttpListener listener;
  ClientId client;
  std::uint64_t last_request = 0;
  std::unordered_map<RequestId, std::shared_ptr<Session>> open_requests;
  std::map<TransferId, std::size_t> running;  // requests of this listener under each id
  std::size_t sessions = 0;
  std::shared_ptr<Acceptor> acceptor;
  bool stopped = false;
};

/// One connection: read a head → check it → read its body → ask the node → write the answer → again.
class HttpPort::State::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<State> state, tcp::socket socket)
      : state_(std::move(state)),
        stream_(std::move(socket)),
        patience_(state_->io),
        buffer_(http_header_bytes_max + http_body_bytes_max + 4096) {
    ++state_->sessions;
    boost::system::error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }
  ~Session() { --state_->sessions; }

  void read_head();
  void on_reply(const Bytes& body);

 private:
  std::string_view received() const {
    const auto bytes = buffer_.cdata();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
  }
  void on_head_bytes();
  void on_head(std::size_t size);
  void offer_continue();
  void read_body();
  void on_body();
  void ask(Call call);
  void tell(HttpResponse answer);
  void write(const HttpResponse& answer, bool keep_alive);
  void write_problem(Problem problem, std::string detail);
  void linger();
  bool more_expected() const { return parser_ && !parser_->is_done(); }

  std::shared_ptr<State> state_;
  beast::tcp_stream stream_;
  asio::steady_timer patience_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  http::response<http::string_body> response_;
  std::optional<Call> call_;
  RequestId request_;
  bool keep_alive_ = false;
  bool head_begun_ = false;
  std::size_t lingered_ = 0;
};

void HttpPort::State::on_reply(RequestId request, Bytes body) {
  const auto found = open_requests.find(request);
  if (found != open_requests.end()) {
    const std::shared_ptr<Session> session = std::move(found->second);
    open_requests.erase(found);
    session->on_reply(body);
  }
}

void HttpPort::State::accept(tcp::socket socket) {
  if (sessions < connections_max) {
    std::make_shared<Session>(shared_from_this(), std::move(socket))->read_head();
  }
}

// ---- the head ------------------------------------------------------------------------------------------------------

void HttpPort::State::Session::read_head() {
  if (state_->stopped) {
    return;
  }
  // An empty line before a request is forgiven (RFC 9112, 2.2).
  while (received().substr(0, 2) == "\r\n") {
    buffer_.consume(2);
  }
  if (!received().empty()) {
    on_head_bytes();
    return;
  }
  head_begun_ = false;
  stream_.expires_after(idle_deadline);
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](const beast::error_code& failed, std::size_t size) {
                            if (!failed) {
                              self->buffer_.commit(size);
                              self->on_head_bytes();
                            }
                          });
}

void HttpPort::State::Session::on_head_bytes() {
  const std::string_view bytes = received();
  const std::optional<std::size_t> size = head_size(bytes);
  if (size && *size <= http_header_bytes_max) {
    on_head(*size);
    return;
  }
  if (size || bytes.size() > http_header_bytes_max) {
    write_problem(Problem::headers_too_large,
                  "the head is longer than " + std::to_string(http_header_bytes_max) + " bytes");
    return;
  }
  if (!may_be_head(bytes)) {
    write_problem(Problem::malformed_request, "the head contains a bare CR, a bare LF or a control character");
    return;
  }
  if (!head_begun_) {
    head_begun_ = true;  // one deadline for the whole head: dripping bytes do not move it
    stream_.expires_after(head_deadline);
  }
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](const beast::error_code& failed, std::size_t more) {
                            if (!failed) {
                              self->buffer_.commit(more);
                              self->on_head_bytes();
                            }
                          });
}

void HttpPort::State::Session::on_head(std::size_t size) {
  if (const std::optional<std::string> mistake = head_mistake(received().substr(0, size))) {
    write_problem(Problem::malformed_request, *mistake);
    return;
  }
  parser_.emplace();
  parser_->header_limit(http_header_bytes_max + 1);
  parser_->body_limit(http_body_bytes_max);
  beast::error_code failed;
  buffer_.consume(parser_->put(asio::const_buffer(buffer_.cdata().data(), size), failed));
  if (failed == http::error::body_limit) {
    write_problem(Problem::body_too_large, "a body has at most " + std::to_string(http_body_bytes_max) + " bytes");
    return;
  }
  if (failed || !parser_->is_header_done()) {
    write_problem(Problem::malformed_request, failed ? failed.message() : "the head cannot be read");
    return;
  }
  keep_alive_ = parser_->get().keep_alive();
  if (const std::optional<HttpResponse> refusal = refuse_head(state_->listener, plain(parser_->get()))) {
    write(*refusal, keep_alive_ && !more_expected());
    return;
  }
  offer_continue();
}

// ---- the body ------------------------------------------------------------------------------------------------------

void HttpPort::State::Session::offer_continue() {
  if (!beast::iequals(parser_->get()[http::field::expect], "100-continue") || !more_expected()) {
    read_body();
    return;
  }
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(write_deadline);
  asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                    [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                      if (!failed) {
                        self->read_body();
                      }
                    });
}

void HttpPort::State::Session::read_body() {
  if (!more_expected()) {
    on_body();
    return;
  }
  stream_.expires_after(body_deadline);
  http::async_read(
      stream_, buffer_, *parser_, [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
        if (failed == http::error::body_limit) {
          self->write_problem(Problem::body_too_large,
                              "a body has at most " + std::to_string(http_body_bytes_max) + " bytes");
        } else if (failed && failed.category() == http::make_error_code(http::error::bad_chunk).category() &&
                   failed != http::error::partial_message && failed != http::error::end_of_stream) {
          self->write_problem(Problem::malformed_request, failed.message());
        } else if (!failed) {
          self->on_body();
        }
      });
}

void HttpPort::State::Session::on_body() {
  HttpRequest request = plain(parser_->get());
  if (request.method == "POST") {
    request.fresh_id = fresh_uuid();
  }
  std::variant<HttpResponse, Call> read = read_call(state_->listener, request);
  if (auto* answer = std::get_if<HttpResponse>(&read)) {
    write(*answer, keep_alive_);
  } else if (std::get<Call>(read).route == HttpRoute::cluster) {
    write(answer_cluster(state_->driver.settings()), keep_alive_);
  } else {
    ask(std::move(std::get<Call>(read)));
  }
}

// ---- the answer ----------------------------------------------------------------------------------------------------

void HttpPort::State::Session::ask(Call call) {
  if (state_->driver.waiting_bytes() > waiting_bytes_max) {
    write(to_response({.problem = Problem::overloaded, .detail = "too many requests wait for this node"}), keep_alive_);
    return;
  }
  stream_.expires_never();
  call_ = std::move(call);
  request_ = RequestId(++state_->last_request);
  state_->open_requests.emplace(request_, shared_from_this());
  if (has_id(call_->route)) {
    ++state_->running[call_->transaction];
  }
  patience_.expires_after(std::chrono::milliseconds(call_->patience_ms) + late_after);
  patience_.async_wait([self = shared_from_this(), request = request_](const beast::error_code& cancelled) {
    if (!cancelled && self->state_->open_requests.erase(request) > 0) {
      self->tell(answer_late(*self->call_));
    }
  });
  state_->driver.request(state_->client, request_, std::move(call_->request));
}

void HttpPort::State::Session::on_reply(const Bytes& body) {
  patience_.cancel();
  tell(answer(*call_, body, state_->driver.counters(), state_->driver.now().wall));
}

void HttpPort::State::Session::tell(HttpResponse answer) {
  if (has_id(call_->route)) {
    const auto same_id = state_->running.find(call_->transaction);
    if (--same_id->second == 0) {
      state_->running.erase(same_id);
    } else if (answer.status == row_of(Problem::outcome_unknown).status) {
      answer = answer_still_running(*call_);
    }
  }
  write(answer, keep_alive_);
}

void HttpPort::State::Session::write_problem(Problem problem, std::string detail) {
  // What follows on this connection cannot be told apart from the mistake.
  write(to_response({.problem = problem, .detail = std::move(detail)}), false);
}

void HttpPort::State::Session::write(const HttpResponse& answer, bool keep_alive) {
  response_ = {};
  response_.version(11);
  response_.result(static_cast<unsigned>(answer.status));
  response_.set(http::field::content_type, answer.content_type);
  response_.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : answer.headers) {
    response_.set(name, value);
  }
  response_.body() = answer.body;
  response_.keep_alive(keep_alive);
  response_.prepare_payload();
  stream_.expires_after(write_deadline);
  http::async_write(stream_, response_,
                    [self = shared_from_this(), keep_alive](const beast::error_code& failed, std::size_t) {
                      if (failed) {
                        return;
                      }
                      self->parser_.reset();
                      if (keep_alive) {
                        self->read_head();
                      } else {
                        self->linger();
                      }
                    });
}

/// Closing at once would reset the connection under bytes still on their way, and the client would lose the answer.
void HttpPort::State::Session::linger() {
  beast::error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (lingered_ == 0) {
    stream_.expires_after(linger_deadline);
  }
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](const beast::error_code& failed, std::size_t size) {
                            self->lingered_ += size;
                            if (!failed && self->lingered_ < linger_bytes_max) {
                              self->linger();
                            }
                          });
}

// ---- the listener --------------------------------------------------------------------------------------------------

HttpPort::HttpPort(asio::io_context& io, Driver& driver, HttpListener listener)
    : state_(std::make_shared<State>(io, driver, listener)) {}

HttpPort::~HttpPort() { stop(); }

Result<void> HttpPort::start(const Endpoint& endpoint) {
  State& state = *state_;
  state.acceptor = std::make_shared<Acceptor>(state.io, [&state](tcp::socket socket) {
    if (!state.stopped) {
      state.accept(std::move(socket));
    }
  });
  return state.acceptor->listen(endpoint);
}

void HttpPort::stop() {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) {
    return;
  }
  if (state.acceptor) {
    state.acceptor->stop();
  }
  state.driver.remove_client(state.client);
  state.open_requests.clear();
}

}  // namespace coffer::net
