"""One file a rule, independent of one another."""
