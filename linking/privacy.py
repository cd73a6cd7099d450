"""Links hold ids and moments alone."""

from privacy.registry import moments

moments("linking")
