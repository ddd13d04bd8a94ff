// Empties a namespace.
using namespace coffer;
