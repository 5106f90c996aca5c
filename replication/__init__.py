"""Re-runs of published experiments on token-level methods for language models."""

__version__ = "0.1.0"
