// Pure code whose own names sound like the outside world.
#include <cstdlib>
#include <map>
#include <string>

namespace coffer {

struct Stream {
  void open();
  void write(int);
};
void read(int);
long time(long);

std::string text(int n) {
  Stream stream;
  stream.open();
  stream.write(n);
  read(n);
  std::map<std::string, long> times{{"now", time(n)}};
  if (times.empty()) std::abort();
  return times.begin()->first + std::to_string(n);
}

}  // namespace coffer
