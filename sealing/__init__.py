"""Text that the database holds encrypted: whoever reads a dump, without the portal's keys, learns nothing from it.

The first of FIELD_KEYS seals, all of them open, SECRET_KEY and its fallbacks too; `manage.py rotate_keys` seals anew.
"""

from sealing.boxes import CannotUnseal, is_sealed, reseal, seal, unseal

__all__ = ["CannotUnseal", "is_sealed", "reseal", "seal", "unseal"]
