"""Payments stay when an account is deleted, with amount and reference, as bookkeeping wants; names in them don't."""

from privacy.erasers import Redact
from privacy.registry import moments, not_personal, personal

moments("commerce")
not_personal("commerce.SubscriptionPlan", "name", "the organisation's catalogue")
not_personal("commerce.Subscription", "status", "one of a few fixed words")
not_personal("commerce.Transaction", "currency", "a code of ISO 4217")
personal("commerce.Transaction", "description reference", erase=Redact("user"))
