// One HTTP exchange over a plain socket: what a client sends, byte for byte, and what it is answered.
#pragma once

#include <cstdlib>
#include <map>
#include <string>

#include "tests/net/plain_socket.h"

namespace coffer::test {

struct HttpAnswer {
  int status = 0;  ///< 0: no answer
  std::map<std::string, std::string> headers = {};
  std::string body = {};

  /// The text of a member of the body; good enough for the flat answers of the wallet.
  std::string member(const std::string& key) const {
    const std::string quoted = "\"" + key + "\":";
    const std::size_t at = body.find(quoted);
    if (at == std::string::npos) {
      return {};
    }
    std::size_t begin = at + quoted.size();
    if (body[begin] != '"') {
      return body.substr(begin, body.find_first_of(",}", begin) - begin);
    }
    ++begin;
    return body.substr(begin, body.find('"', begin) - begin);
  }
};

inline HttpAnswer read_answer(PlainSocket& socket) {
  HttpAnswer answer;
  std::string head;
  while (head.size() < 4 || head.substr(head.size() - 4) != "\r\n\r\n") {
    const std::string byte = socket.receive(1);
    if (byte.empty()) {
      return answer;
    }
    head += byte;
  }
  answer.status = std::atoi(head.substr(head.find(' ') + 1, 3).c_str());
  std::size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    answer.headers[head.substr(at, colon - at)] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  answer.body = socket.receive(static_cast<std::size_t>(std::atol(answer.headers["Content-Length"].c_str())));
  return answer;
}

inline HttpAnswer ask_http(std::uint16_t port, const std::string& bytes) {
  PlainSocket socket(port);
  socket.send(bytes);
  return read_answer(socket);
}

inline std::string post_text(const std::string& path, const std::string& body, const std::string& more_headers = "") {
  std::string text = "POST ";
  text.append(path).append(" HTTP/1.1\r\nHost: wallet\r\nContent-Type: application/json\r\nContent-Length: ");
  return text.append(std::to_string(body.size())).append("\r\n").append(more_headers).append("\r\n").append(body);
}

inline std::string get_text(const std::string& path, const std::string& more_headers = "") {
  std::string text = "GET ";
  return text.append(path).append(" HTTP/1.1\r\nHost: wallet\r\n").append(more_headers).append("\r\n");
}

}  // namespace coffer::test
