"""The mails that are owed, for superadmins to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from notices.models import Notice

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Notice]
else:  # it takes no type at run time
    ModelAdmin = admin.ModelAdmin


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):
    """Which mails wait, were sent or were given up, and why."""

    list_display = ("id", "kind", "recipient_id", "about", "state", "tries", "error", "next_at", "created_at")
    list_filter = ("state", "kind")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
