"""The audit log can't be changed, so it takes no personal value in the first place: see audit.facts."""

from privacy.registry import moments, not_personal

PLAIN = "ids, numbers, dates and known words alone: audit.services takes nothing else"

moments("audit")
not_personal("audit.AuditEntry", "action detail", PLAIN)
not_personal("audit.AuditEntry", "origin", "a network address, a token's id or a command: from where it was done")
not_personal("audit.AuditLink", "previous hash", "hashes of entries, which hold nothing personal")
not_personal("audit.AuditHead", "hash", "a hash of entries, which hold nothing personal")
not_personal("audit.OutboxEvent", "kind payload", PLAIN)
