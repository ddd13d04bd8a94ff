// A folder nobody knows.
