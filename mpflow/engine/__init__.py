"""The real world: a Program goes in, real processes run it, what they recorded comes out.

start.py and launch.py (in the user's process) start host.py (a process of its own), which forks the
scenario's main and watches it; worker.py runs a plan in each process; record.py writes what
happened; merge.py and order.py make the trace of it.
"""
