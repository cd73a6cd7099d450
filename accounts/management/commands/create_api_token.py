"""Print a new API token, and nothing else, on standard output."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import AccountError
from accounts.services import create_token, find_by_sign_in


class Command(BaseCommand):
    help = "Make an API token for an account and print it. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what the token is for")
        parser.add_argument(
            "--scopes",
            help="read, write, merge, undo, admin, with commas between; all that the owner may have unless given",
        )
        parser.add_argument("--days", type=int, help="how long it lives; 365 unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_by_sign_in(options["username"])
        if account is None:
            raise CommandError(f"There is no account with the username {options['username']}.")
        scopes = options["scopes"]
        try:
            key, _ = create_token(
                owner=account,
                name=options["name"] or "Command line",
                scopes=None if scopes is None else [scope.strip() for scope in scopes.split(",") if scope.strip()],
                days=options["days"],
                origin="create_api_token",
            )
        except AccountError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(key)
