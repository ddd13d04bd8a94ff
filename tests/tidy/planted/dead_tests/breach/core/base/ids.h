// Ids.
