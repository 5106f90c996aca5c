"""Files that appear whole or not at all, see `replication.files`."""

from replication.files import write_atomic

__all__ = ["write_atomic"]
