"""Running the notebooks: their order, one wrapper around papermill, the manifest, the command line.

Nothing here knows a method or a task; notebooks and papers are discovered.
"""
