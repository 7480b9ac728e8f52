"""Random programs, and the model held against itself, against the judge and against real runs."""
