"""What merges leave alone of webhooks."""

from merging.handlers import exempt

exempt("integrations.Webhook", "created_by", "who registered it stays who it was")
