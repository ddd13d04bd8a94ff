// Things.
