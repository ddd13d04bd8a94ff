// Money moved through a real cluster by several clients at once, everything acknowledged written down, and later asked
// for again: each transfer must get the very answer it got, each account must hold what the answers add up to.
#pragma once

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/served_cluster.h"

namespace coffer::test {

class AcknowledgedLoad {
 public:
  static constexpr int accounts = 8;
  static constexpr int clients = 6;
  static constexpr int deposit = 100'000;

  AcknowledgedLoad() = default;
  /// What was acknowledged so far; both go on by themselves.
  AcknowledgedLoad(const AcknowledgedLoad& other)
      : next_(other.next_), told_(other.told_), balances_(other.balances_) {}
  AcknowledgedLoad& operator=(const AcknowledgedLoad&) = delete;

  /// Opens the accounts and fills them. False: something was not acknowledged.
  bool begin(ServedCluster& cluster) {
    Client client(cluster, cluster.nodes());
    bool good = true;
    for (int account = 0; account < accounts; ++account) {
      good =
          client.ask("/v1/accounts", R"({"account":")" + name(account) + R"(","currency":"USD"})").status / 100 == 2 &&
          good;
      const HttpAnswer paid = client.ask(
          "/v1/deposits", R"({"account":")" + name(account) + R"(","amount":")" + std::to_string(deposit) +
                              R"(","currency":"USD","transaction_id":")" + id(1'000'000 + account) + R"("})");
      good = paid.status == 200 && good;
      balances_[account] = deposit;
    }
    return good;
  }
  /// So many transfers of one dollar more. False: one was not acknowledged, and those after it were not tried.
  bool move(ServedCluster& cluster, int count) {
    const int first = next_;
    next_ += count;
    return each_client(cluster, cluster.nodes(), first, next_, [&](Client& client, int number) {
      const HttpAnswer answer = client.ask("/v1/wallet/balance_transfer", transfer(number));
      const std::lock_guard lock(mutex_);
      told_[number] = answer.body;
      --balances_[from(number)];
      ++balances_[to(number)];
      return answer.status == 200;
    });
  }
  /// Asks these nodes for everything again. What was lost or differs, first; empty: nothing.
  std::string missing(ServedCluster& cluster, const std::vector<int>& nodes) {
    std::string lost;
    each_client(cluster, nodes, 0, next_, [&](Client& client, int number) {
      const std::string again = client.ask("/v1/wallet/balance_transfer", transfer(number)).body;
      const std::lock_guard lock(mutex_);
      if (again != told_.at(number) && lost.empty()) {
        lost = "transfer " + std::to_string(number) + " was told " + told_.at(number) + ", now " + again;
      }
      return lost.empty();
    });
    Client client(cluster, nodes);
    for (int account = 0; account < accounts && lost.empty(); ++account) {
      const HttpAnswer held = client.get("/v1/accounts/" + name(account) + "/balance?currency=USD");
      if (held.member("balance") != std::to_string(balances_.at(account)) + ".00") {
        lost = name(account) + " should hold " + std::to_string(balances_.at(account)) + ", but: " + held.body;
      }
    }
    return lost;
  }
  int moved() const { return next_; }

 private:
  /// One connection at a time, to one node after another until one gives a definite answer.
  class Client {
   public:
    Client(ServedCluster& cluster, std::vector<int> nodes) : cluster_(cluster), nodes_(std::move(nodes)) {}
    HttpAnswer ask(const std::string& path, const std::string& body) { return send(post_text(path, body)); }
    HttpAnswer get(const std::string& path) { return send(get_text(path)); }

   private:
    HttpAnswer send(const std::string& bytes) {
      HttpAnswer answer;
      eventually([&] {
        if (!socket_) {
          socket_ = std::make_unique<PlainSocket>(cluster_.ports(nodes_[turn_++ % nodes_.size()]).http);
        }
        answer = socket_->connected() && socket_->send(bytes) ? read_answer(*socket_) : HttpAnswer{};
        const bool definite = answer.status != 0 && answer.status != 409 && answer.status < 503;
        if (!definite) {
          socket_.reset();
        }
        return definite;
      });
      return answer;
    }
    ServedCluster& cluster_;
    std::vector<int> nodes_;
    std::size_t turn_ = 0;
    std::unique_ptr<PlainSocket> socket_;
  };

  /// Until `work` says false of a number: what does not answer is waited for once, not once a transfer.
  template <class Work>
  static bool each_client(ServedCluster& cluster, const std::vector<int>& nodes, int first, int end, Work work) {
    std::atomic<int> next = first;
    std::atomic<bool> good = true;
    std::vector<std::thread> threads;
    for (int client = 0; client < clients; ++client) {
      threads.emplace_back([&] {
        Client asking(cluster, nodes);
        for (int number = next++; number < end && good; number = next++) {
          if (!work(asking, number)) {
            good = false;
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return good;
  }

  static std::string name(int account) { return "account-" + std::to_string(account); }
  static int from(int number) { return number % accounts; }
  static int to(int number) {
    return (number * 5 + 3 + number / accounts) % accounts == from(number)
               ? (from(number) + 1) % accounts
               : (number * 5 + 3 + number / accounts) % accounts;
  }
  static std::string id(int number) {
    char text[40];
    std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
    return text;
  }
  static std::string transfer(int number) {
    return R"({"from_account":")" + name(from(number)) + R"(","to_account":")" + name(to(number)) +
           R"(","amount":"1","currency":"USD","transaction_id":")" + id(number) + R"("})";
  }

  int next_ = 0;
  std::mutex mutex_;  // of what follows, while clients run
  std::map<int, std::string> told_;
  std::map<int, int> balances_;
};

}  // namespace coffer::test
