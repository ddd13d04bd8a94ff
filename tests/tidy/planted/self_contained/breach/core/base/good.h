// Compiles.
#pragma once
namespace coffer {
struct Good {};
}  // namespace coffer
