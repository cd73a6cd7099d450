"""Hints to workers that there is something to do. The one place that speaks to the broker.

What there is to do stands in PostgreSQL, and a sweep finds it. So a hint may get lost, and must never fail or delay
whoever sends it: the work is done by then, and its answer has to say so.
"""

from hints.sending import send

__all__ = ["send"]
