"""A second explorer of scenarios, which shares no code with mpflow: slow, obvious, the judge.

It was written from the documents alone (the language, what multiprocessing does), to be compared
with what `check` finds. `explore(data)` says all endings that a scenario can have.
"""

from .bases import TooBig, Unsupported
from .explore import Ending, Judged, canonical, explore

__all__ = ["Ending", "Judged", "TooBig", "Unsupported", "canonical", "explore"]
