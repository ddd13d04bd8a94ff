// Has its row.
