"""How soon a deadlock is told: python tests/benchmarks/deadlock.py [ROUNDS]

The time from the last process's blocking (the begin of its blocked action) to the end of the
run, its processes ended and reaped; in seconds, the median and the longest of all rounds.
"""

from __future__ import annotations

import sys
from statistics import median

from mpflow import api
from mpflow.scenario import Choice

SCENARIOS = {
    "two locks in opposite order": """
mpflow: 1
primitives: {a: lock, b: lock}
processes:
  p: {actions: [{with: {lock: a, do: [{sleep: 0.2}, {acquire: b}]}}]}
  q: {actions: [{with: {lock: b, do: [{sleep: 0.2}, {acquire: a}]}}]}
""",
    "join before get": """
mpflow: 1
primitives: {q: queue}
processes: {w: {actions: [{put: {value: "$('x' * 100000)", to: q}}]}}
main: [{start: w}, {join: w}, {get: q}]
""",
    "100 processes": """
mpflow: 1
primitives: {s: {type: semaphore, value: 0}}
processes: {w: {count: 100, actions: [{acquire: s}]}}
""",
}


def latency(text: str, method: str) -> float:
    """The seconds of one run."""
    (scenario,) = api.loads(text, choice=Choice(start_method=method)).scenarios
    trace = api.run(scenario, quiet=True)
    assert trace.end == "deadlock", trace.verdict
    return trace.duration - max(e.began for e in trace.events if e.status == "blocked")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, text in SCENARIOS.items():
        for method in ("fork", "spawn", "forkserver"):
            times = [latency(text, method) for _ in range(rounds)]
            met = "met" if max(times) <= 0.5 else "MISSED"
            told = f"median {median(times):.3f} s, longest {max(times):.3f} s"
            print(f"{name}, {method}: {told} (target 0.5) {met}", flush=True)


if __name__ == "__main__":
    main()
