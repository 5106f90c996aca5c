"""Reports: tables, figures, claims and the scoreboard, in one style and the same text on every machine."""

from replication.reporting.report import Report
from replication.reporting.tables import cell

__all__ = ["Report", "cell"]
