"""Bookings stay when an account is deleted; the reasons that people wrote beside them don't."""

from privacy.erasers import Blank
from privacy.registry import moments, not_personal, personal

moments("rewards")
not_personal("rewards.Badge", "name", "the organisation's catalogue")
not_personal("rewards.Reward", "name", "the organisation's catalogue")
not_personal("rewards.RewardRequest", "status", "one of a few fixed words")
personal("rewards.PointEntry", "reason", erase=Blank("user"))
personal("rewards.CoinEntry", "reason", erase=Blank("user"))
