"""Pages about what people did, one module per page."""
