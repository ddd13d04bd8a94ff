// Ids.
#pragma once
namespace coffer {
struct   Id { int * value ; };
}  // namespace coffer
