// Its row names what makes it.
