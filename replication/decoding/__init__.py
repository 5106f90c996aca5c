"""Decoding methods, one module per paper; `spans`, `answers` and `continuation` are what they share."""
