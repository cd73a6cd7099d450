"""Give an account a new password; in place of Django's command, which would leave API tokens alive."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import AccountError
from accounts.services import change_own_password, find_by_sign_in


class Command(BaseCommand):
    help = "Give an account a new password. It ends the account's sessions, API tokens and reset links."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_by_sign_in(options["username"])
        if account is None:
            raise CommandError(f"There is no account with the username {options['username']}.")
        try:
            change_own_password(actor=account, password=_asked(), origin="changepassword")
        except AccountError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"The password of {account.username} is changed. Sessions and API tokens have ended.")


def _asked() -> str:
    password = getpass("New password: ")
    if password != getpass("New password, again: "):
        raise CommandError("The two passwords don't match. Nothing was changed.")
    return password
