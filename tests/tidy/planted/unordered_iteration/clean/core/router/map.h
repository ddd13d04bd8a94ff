// A table that is only looked up, beside an ordered one.
#pragma once
class Router {
 private:
  boost::unordered_flat_map<Slot, std::vector<ShardId>> owners_;
  std::map<Slot, ShardId> ordered_;
};
