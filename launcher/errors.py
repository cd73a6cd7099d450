"""What keeps the portal from starting, in words for the person at the keyboard."""


class CannotStart(Exception):
    """The portal or one of its servers can't start; the text says why and what helps."""
