"""Starts what the portal stands on (PostgreSQL, Redis) and the portal itself, with one command."""
