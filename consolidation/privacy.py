"""A consolidation says in words what was done, and names its two accounts by their ids alone."""

from privacy.erasers import Redact
from privacy.registry import moments, not_personal, personal

moments("consolidation")
not_personal("consolidation.Consolidation", "removal", "one of a few fixed words")
personal("consolidation.ConsolidationAct", "text", erase=Redact())
