// A table that is walked in another file.
#pragma once
class Router {
 private:
  boost::unordered_flat_map<Slot, std::vector<ShardId>> owners_;
  boost::unordered_flat_set<Id> seen_;
};
