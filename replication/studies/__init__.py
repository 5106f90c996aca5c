"""What the notebooks of a paper measure: arrays, estimates and tables made from the records of its runs."""
