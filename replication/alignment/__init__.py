"""Alignment: which tokens decide an answer, and learning from preferences."""
