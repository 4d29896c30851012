"""A radio that is not there, and virtual locks on it."""
