"""Check that no audit entry was altered, removed, put in by hand or cut off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from audit import chain, roles
from audit.models import AuditLink


class Command(BaseCommand):
    help = "Check the audit's chains of hashes, and name the first broken entry. Exit code 1 when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=1, help="broken entries to name (1)")
        parser.add_argument("--heads", action="store_true", help="print the end of each chain, to be kept elsewhere")
        parser.add_argument("--noted", type=Path, help="a file with such ends: they must still be in their chains")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        self._one_moment()
        broken = [str(fault) for fault in chain.faults(max(options["limit"], 1))]
        broken += [f"The noted end {line} isn't in its chain any more." for line in self._lost(options["noted"])]
        for line in broken:
            self.stderr.write(line)
        if broken:
            sys.exit(1)
        for power in roles.powers():
            self.stderr.write(f"Warning: the role of web and worker {power}.")
        if options["heads"]:
            self.stdout.write("\n".join(chain.heads()))
        else:
            self.stdout.write(f"All {AuditLink.objects.count()} audit entries are as they were written.")

    def _one_moment(self) -> None:
        """Entries and chains as they are at one moment, while others go on writing."""
        with connection.cursor() as cursor:
            if not connection.savepoint_ids:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def _lost(self, noted: Path | None) -> list[str]:
        try:
            return list(chain.differing(noted.read_text().splitlines())) if noted else []
        except (OSError, ValueError) as error:
            raise CommandError(f"{noted} can't be read: lines must be as --heads prints them.") from error
