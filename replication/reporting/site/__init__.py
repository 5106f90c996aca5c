"""The full site of a run: scoreboard, a page per paper, executed notebooks, an API reference; all offline.

`build` stages sources for Sphinx (`staging`), runs it (`conf`, `extension`) and puts the result into place.
"""
