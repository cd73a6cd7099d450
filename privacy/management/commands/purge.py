"""`manage.py purge`: clear what is out of time, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import services


class Command(BaseCommand):
    help = "Clear values whose time is over: journals, events, deliveries, imports, sessions, kept answers, failures."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per kind; an error when one failed."""
        failed = []
        for one, rows in services.purge_all():
            if rows is None:
                failed.append(one.name)
            else:
                self.stdout.write(f"{one.name} ({one.after}): {rows} cleared")
        if failed:
            raise CommandError(f"Failed, see the log: {', '.join(failed)}")
