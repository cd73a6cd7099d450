"""Text that PostgreSQL can keep."""


def is_storable(text: str) -> bool:
    """Neither NUL nor half a character in it; JSON can carry both."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def storable(text: str) -> str:
    """What can be kept of it."""
    return text.encode(errors="replace").decode().replace("\x00", "")
