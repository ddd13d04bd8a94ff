// What sounds like a banned word and is none: double-entry, std::shuffle, 0.5, a throw of dice.
/* using namespace std; #define LIMIT 3 */
static_assert(sizeof(int) == 4);
const char* words = "double std::cout assert( rand(";
constexpr long kLarge = 1'000'000;
std::map<Pocket, Node*> nodes;
int operand(int double_entry) { return double_entry + retry(3); }
