"""Files are taken at the addresses that say so, and counted while they stream."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.urls import Resolver404, resolve

CUT = "portal.upload_was_cut"  # in `request.META`: the file was longer than allowed


class CountedUpload(FileUploadHandler):
    """The first upload handler: files only where a view takes them, and no more bytes of them than allowed."""

    received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.request is None or not files_right(self.request):
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > settings.IMPORT_MAX_BYTES and self.request is not None:
            self.request.META[CUT] = True
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def files_right(request: HttpRequest) -> str:
    """The right that it takes to upload a file at this address; empty where no file is taken."""
    try:
        return str(getattr(resolve(request.path_info).func, "takes_files_of", ""))
    except Resolver404:
        return ""
