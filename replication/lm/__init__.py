"""A model as the methods see it: load, score, generate, and records of what was generated."""
