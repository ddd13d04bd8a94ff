// The one macro the core needs.
#define XXH_INLINE_ALL
#include <xxhash.h>
