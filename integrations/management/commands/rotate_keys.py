"""`manage.py rotate_keys`: seal everything under the newest key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.services import rotate_keys


class Command(BaseCommand):
    help = "Seals the secrets of webhooks under the newest of FIELD_KEYS; the older keys aren't needed afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = rotate_keys()
        self.stdout.write(f"Sealed anew: {done}")
        if unreadable:
            ids = ", ".join(map(str, unreadable))
            raise CommandError(f"No key opens the secrets of these webhooks: {ids}. Add the lost key, or renew them.")
