"""Values and pure functions: the rules of the park, without clock, storage or network."""
