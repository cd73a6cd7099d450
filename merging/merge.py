"""What merges leave alone of their own records and of the portal's log."""

from merging.handlers import exempt

HISTORY = "a merge is history: it never moves to another account"
exempt("merging.Merge", "source", HISTORY)
exempt("merging.Merge", "destination", HISTORY)
exempt("merging.Merge", "performed_by", HISTORY)
exempt("merging.Merge", "undone_by", HISTORY)
exempt("audit.AuditEntry", "actor", "the audit log is never changed")
exempt("audit.AuditEntry", "subject", "the audit log is never changed")
exempt("audit.OutboxEvent", "subject", "an event tells of the account as it was then")
exempt("notices.Notice", "recipient", "a mail goes to the account that it was owed to")
exempt("admin.LogEntry", "user", "who did something in the admin site stays who it was")
exempt("rest_contract.IdempotencyKey", "owner", "a request that was answered stays its caller's")
