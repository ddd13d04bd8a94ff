// Strong ids: a node's number is not a shard's.
#pragma once
