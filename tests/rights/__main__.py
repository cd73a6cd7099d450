"""Writes docs/rights.md."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
django.setup()

from tests.rights import page  # noqa: E402  (needs the models)

page.PAGE.write_text(page.text(), encoding="utf-8")
