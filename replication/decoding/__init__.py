"""Decoding methods, one module per paper; shared: `spans`, `answers`, `continuation`, `truncation`."""
