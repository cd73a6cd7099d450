"""Measured against the raw limit and against peers: ratios within one run, on one machine, on the same tables."""
