"""Statistics and verdicts: accuracy, paired comparisons, rankings, curves, power, claims judged by rule."""

from replication.evaluation.claims import Estimate

__all__ = ["Estimate"]
