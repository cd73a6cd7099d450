"""`make chaos`: a portal under load whose processes and servers are killed, stopped and cut off, and a ledger of what it accepted."""
