import subprocess
import sys

HEAVY = ("torch", "transformers", "pandas", "matplotlib", "snakemake", "papermill", "nbconvert")


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, replication.workflow.cli, replication.workflow.reproduce, replication.workflow.status\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
