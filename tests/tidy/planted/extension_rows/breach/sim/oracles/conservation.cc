// There is not even a table.
