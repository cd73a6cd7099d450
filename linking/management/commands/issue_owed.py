"""Issue all equivalencies that are owed, without Celery."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from linking import services


class Command(BaseCommand):
    help = "Issue the equivalencies that are owed now. Safe at any time, beside workers and other runs of itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=3600.0, help="stop after that time (an hour)")

    def handle(self, *args: Any, **options: Any) -> None:
        issued = services.issue_owed(seconds=options["seconds"])
        self.stdout.write(f"Equivalencies issued: {issued}")
