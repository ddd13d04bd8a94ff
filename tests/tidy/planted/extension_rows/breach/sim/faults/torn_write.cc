// Has none.
