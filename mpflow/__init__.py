"""mpflow: multiprocessing scenarios, declared in YAML, run for real, traced in order."""

__version__ = "0.1.0"
