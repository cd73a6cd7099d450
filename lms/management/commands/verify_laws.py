"""Check that the laws hold on this database."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lms.laws import LAWS, breaches


class Command(BaseCommand):
    help = "Check the laws on this database, and name the rows that break one. Exit code 1 when any does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=20, help="rows to name per statement (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = False
        for law in LAWS:
            found = list(breaches(law, options["limit"]))
            broken = broken or bool(found)
            self.stdout.write(f"{law.number} {law.sentence} {'BROKEN' if found else 'holds'}")
            for breach in found:
                self.stderr.write(f"  {breach}")
        if broken:
            sys.exit(1)
