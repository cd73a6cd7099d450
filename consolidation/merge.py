"""What merges leave alone of consolidations."""

from merging.handlers import exempt

HISTORY = "a consolidation is history: it names the accounts that it was about"
exempt("consolidation.Consolidation", "one", HISTORY)
exempt("consolidation.Consolidation", "other", HISTORY)
exempt("consolidation.Consolidation", "primary", HISTORY)
exempt("consolidation.Consolidation", "started_by", HISTORY)
exempt("consolidation.ConsolidationAct", "actor", HISTORY)
