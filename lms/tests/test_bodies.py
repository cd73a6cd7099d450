"""Nothing that is too long is read, let alone written to disk."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.test import Client
from gunicorn.http.errors import InvalidChunkSize
from rest_framework.test import APIClient

from accounts.models import User
from bulk.models import Import
from bulk.uploading import CountedUpload

SIGN_IN, UPLOAD = "/sign-in/", "/imports/users/upload/"
MANY = 3_000_000  # bytes: more than Django keeps of a file in memory
CSV = b"username,email\n"


class Body(io.BytesIO):
    """A body that notices how much of it is read."""

    read_so_far = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.read_so_far += len(data)
        return data


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads would be kept."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def form(size: int, name: str = "file") -> tuple[bytes, str]:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.csv"\r\n\r\n'.encode()
    return head + CSV + b"\n" * size + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def post(client: Client, path: str, data: bytes, kind: str, **more: Any) -> tuple[Any, Body]:
    body = Body(data)
    more = {"CONTENT_LENGTH": str(len(data)), "CONTENT_TYPE": kind, **more}
    return client.generic("POST", path, "", kind, **{"wsgi.input": body, **more}), body


@pytest.mark.django_db
@pytest.mark.parametrize("path", [SIGN_IN, "/", "/nowhere/", "/preferences/", "/merges/1/2/"])
def test_a_large_form_is_refused_at_every_page_before_it_is_read(client: Client, path: str, disk: Path) -> None:
    answer, body = post(client, path, *form(MANY))
    assert (answer.status_code, body.read_so_far) == (413, 0)
    assert "Request too large" in answer.content.decode()
    assert answer["X-Frame-Options"] == "DENY"
    assert list(disk.iterdir()) == []


@pytest.mark.django_db
def test_a_stranger_s_upload_is_not_read(client: Client, disk: Path) -> None:
    answer, body = post(Client(enforce_csrf_checks=True), UPLOAD, *form(MANY))
    assert (answer.status_code, body.read_so_far) == (302, 0)
    assert answer["Location"].startswith("/sign-in/")
    assert list(disk.iterdir()) == []


@pytest.mark.django_db
def test_an_upload_without_the_right_is_not_read(client: Client, learner: User, disk: Path) -> None:
    client.force_login(learner)
    answer, body = post(client, UPLOAD, *form(MANY))
    assert (answer.status_code, body.read_so_far) == (403, 0)
    assert list(disk.iterdir()) == []


@pytest.mark.django_db
def test_whoever_may_uploads_a_large_file(client: Client, superadmin: User) -> None:
    client.force_login(superadmin)
    rows = b"".join(b"person%d,%s@example.org\n" % (n, b"x" * 900) for n in range(3300))
    file = SimpleUploadedFile("users.csv", CSV + rows)
    answer = client.post(UPLOAD, {"file": file})
    assert answer.status_code == 302
    assert Import.objects.get().total == 3300


@pytest.mark.django_db
def test_an_upload_beyond_the_limit_is_refused_unread(client: Client, superadmin: User, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 2_000_000
    client.force_login(superadmin)
    answer, body = post(client, UPLOAD, *form(MANY))
    assert (answer.status_code, body.read_so_far) == (413, 0)


@pytest.mark.django_db
def test_a_file_is_counted_while_it_streams(client: Client, superadmin: User, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = MANY - 10_000  # the form as a whole passes
    client.force_login(superadmin)
    answer = client.post(UPLOAD, {"file": SimpleUploadedFile("a.csv", CSV + b"\n" * MANY)}, follow=True)
    assert "larger than 2 MB" in answer.content.decode()
    assert not Import.objects.exists()


def test_the_count_ends_the_reading(rf: Any, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 10
    handler = CountedUpload(rf.post(UPLOAD))
    assert handler.receive_data_chunk(b"a" * 10, 0) == b"a" * 10
    with pytest.raises(StopUpload):
        handler.receive_data_chunk(b"a", 10)


@pytest.mark.django_db
def test_a_page_that_takes_no_file_keeps_none(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr("django.core.files.uploadhandler.MemoryFileUploadHandler.file_complete", kept.append)
    assert post(client, SIGN_IN, *form(1000))[0].status_code == 200
    assert kept == []


@pytest.mark.django_db
def test_rest_refuses_by_what_is_declared(api: APIClient, problem: Any) -> None:
    answer, body = post(api, "/api/v1/courses/", b"[" * 6_000_000, "application/json")
    assert body.read_so_far == 0
    problem(answer, 413, "too_large")


@pytest.mark.django_db
def test_a_body_of_undeclared_length_is_cut_at_the_limit(client: Client, api: APIClient, problem: Any) -> None:
    chunked: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer, body = post(client, SIGN_IN, *form(MANY), **chunked)
    assert (answer.status_code, body.read_so_far) == (413, 1024 * 1024 + 1)
    answer, body = post(api, "/api/v1/courses/", b" " * 6_000_000, "application/json", **chunked)
    problem(answer, 413, "too_large")
    assert body.read_so_far < 5_300_000


@pytest.mark.django_db
def test_a_short_body_of_undeclared_length_is_read(api: APIClient, client: Client) -> None:
    chunked: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer, _ = post(api, "/api/v1/courses/", b'{"title": "Safety"}', "application/json", **chunked)
    assert answer.status_code == 201
    answer, _ = post(client, SIGN_IN, b"username=nobody&password=x", "application/x-www-form-urlencoded", **chunked)
    assert "nobody" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OSError, InvalidChunkSize])
def test_a_body_of_undeclared_length_that_breaks_off_is_a_bad_request(
    api: APIClient, problem: Any, error: type[Exception]
) -> None:
    class Broken(Body):
        def read(self, size: int | None = -1) -> bytes:
            raise error("ff")

    chunked: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Broken()}
    problem(api.generic("POST", "/api/v1/courses/", "", "application/json", **chunked), 400, "bad_request")
