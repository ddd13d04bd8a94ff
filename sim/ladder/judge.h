// The ladder's oracles: the properties of the wallet (the same ids as in sim/oracles), judged from books and answers
// and from nothing that a design says of itself.
//
//   O-L1  money is conserved: every shard balances at every instant with what it calls in transit; once quiet the
//         accounts hold what they held at the start, and nothing is in transit (O-T3)
//   O-L3  no balance, and where the design promises so no sum over a user's accounts, is below zero
//   O-L4  an answered success is there exactly once, an answered refusal has no effect, an unknown has all or none
//   O-L5  the same transfer is not answered in two ways
//   O-L6  no lock outlives its transfer
//   O-E1  replicas of one log hold the same
//   O-V1  once healed everything ends; else the verdict is `stuck`, with the reason
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/ladder/design.h"
#include "sim/run/run.h"

namespace coffer::sim::ladder {

struct Finding {
  Verdict verdict = Verdict::pass;
  std::string oracle = {};
  std::string reason = {};
};

/// A node as the judge sees it in the end.
struct Seen {
  const Book* book = nullptr;
  bool up = false;
  bool lost = false;
};

class Judge {
 public:
  Judge(const Design& design, const Plan& plan);

  /// After everything a process did in one call. Whether all is still well.
  bool look(Node node, const Book& book, const std::vector<Book::Change>& changes);
  bool answered(std::uint32_t transfer, Answer answer);
  /// When time is up. `nodes`: node 1 first.
  Finding end(const std::vector<Seen>& nodes);

 private:
  bool blame(std::string oracle, std::string reason);
  bool below_floor(const Book& book, const Book::Change& change) const;
  std::string why_not_quiet(const std::vector<Seen>& nodes) const;
  std::string shown_by(Node node) const { return roles_[node - 1]; }
  const Book* shown(std::uint32_t account, const std::vector<Seen>& nodes) const;
  bool replicas_agree(const std::vector<Seen>& nodes);
  bool conserved(const std::vector<Seen>& nodes);
  bool as_answered(const std::vector<Seen>& nodes);
  bool nothing_left_over(const std::vector<Seen>& nodes);

  const Design& design_;
  const Plan& plan_;
  const Traits traits_;
  const std::vector<std::string> roles_;
  std::map<std::uint32_t, Answer> answers_;
  Finding finding_;
};

}  // namespace coffer::sim::ladder
