"""What merges leave alone of imports."""

from merging.handlers import exempt

exempt("bulk.Import", "uploaded_by", "who uploaded a file stays who it was")
