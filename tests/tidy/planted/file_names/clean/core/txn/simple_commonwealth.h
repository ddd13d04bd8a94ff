// A name in which a word only begins like an empty one.
