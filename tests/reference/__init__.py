"""What a merge does, said again without the handlers; see `model`."""
