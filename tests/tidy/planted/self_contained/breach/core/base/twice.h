// Forgets to say once.
namespace coffer {
struct Twice {};
}  // namespace coffer
