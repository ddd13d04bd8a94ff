// Six kinds of outside world in one file, none of them included under its own name.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <thread>

extern "C" int socket(int, int, int);

namespace coffer {

long now() { return std::time(nullptr); }
unsigned entropy() { return std::random_device{}(); }
void start() {
  std::thread([] {}).join();
}
bool open_file() { return std::fopen("a", "r") != nullptr; }
int dial() { return ::socket(1, 1, 0); }
const char* setting() { return std::getenv("A"); }

}  // namespace coffer
