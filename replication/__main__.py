"""`python -m replication`."""

from replication.workflow.cli import main

if __name__ == "__main__":
    main()
