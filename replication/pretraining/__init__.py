"""Pretraining methods, one module per paper; shared: `token_losses`, `selection`, `reference`, `trainer`."""
