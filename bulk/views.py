"""The pages of the CSV imports: thin doors over bulk.services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Right
from accounts.views.access import actor_of, needs_right
from audit import trail
from bulk import reading, services, tasks
from bulk.errors import ImportRefused
from bulk.kinds import KINDS, Kind
from bulk.models import Import, ImportRow
from bulk.uploading import CUT

PAGE = 50


@require_GET
@needs_right(Right.EDIT)
def index(request: HttpRequest) -> HttpResponse:
    """The kinds of file with template and upload, and the files so far."""
    kinds = [{"key": key, "label": Import.Kind(key).label, "kind": kind} for key, kind in KINDS.items()]
    files = _visible(request).select_related("uploaded_by")[:100]
    return render(request, "bulk/index.html", {"kinds": kinds, "files": files})


@require_GET
@needs_right(Right.EDIT)
def template(request: HttpRequest, kind: str) -> HttpResponseBase:
    """A file with the header alone."""
    return _download(f"{kind}-template.csv", reading.write(_kind(kind).columns(), []))


@require_GET
@needs_right(Right.EDIT)
def current(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The current list, ready to be edited and uploaded again."""
    found = _kind(kind)
    trail.exported(kind=kind)
    return _download(f"{kind}.csv", reading.write(found.columns(), map(tuple, found.listing(actor_of(request)))))


@require_POST
@needs_right(Right.EDIT)
def upload(request: HttpRequest, kind: str) -> HttpResponse:
    """Keep the file and begin to check it."""
    _kind(kind)
    file = request.FILES.get("file")
    if request.META.get(CUT):
        messages.error(request, reading.too_large().detail)
        return redirect("bulk:index")
    if file is None or file.file is None:
        messages.error(request, "Choose a CSV file first.")
        return redirect("bulk:index")
    try:
        kept = services.upload(
            actor=actor_of(request),
            kind=kind,
            file=cast(BinaryIO, file.file),
            name=file.name or "file.csv",
            size=file.size or 0,
        )
    except ImportRefused as error:
        messages.error(request, error.detail)
        return redirect("bulk:index")
    tasks.hint_work(kept.pk)
    return redirect("bulk:show", kept.pk)


upload.takes_files_of = Right.EDIT  # type: ignore[attr-defined]


@require_GET
@needs_right(Right.EDIT)
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """What the check found, row by row, or what came of it."""
    file = _find(request, pk)
    trail.seen(None)
    rows = file.rows.all()
    verdict = request.GET.get("verdict", "")
    if verdict in ImportRow.Verdict.values:
        rows = rows.filter(verdict=verdict)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "bulk/show.html", _state(file) | {"page": page, "verdict": verdict})


@require_GET
@needs_right(Right.EDIT)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar, asked for again and again; when the work has ended the whole page is due."""
    file = _find(request, pk)
    response = render(request, "bulk/_progress.html", _state(file))
    if not file.is_at_work:
        response["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the rows that were not refused. GET, after the password was asked for again, leads back to the button."""
    file = _find(request, pk)
    if request.method == "GET":
        return redirect("bulk:show", pk)
    try:
        services.confirm(actor=actor_of(request), import_id=file.pk)
    except ImportRefused as error:
        messages.error(request, error.detail)
    else:
        tasks.hint_work(file.pk)
    return redirect("bulk:show", pk)


confirm.asks_for_password = True  # type: ignore[attr-defined]


@require_POST
@needs_right(Right.EDIT)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the file."""
    file = _find(request, pk)
    try:
        services.cancel(actor=actor_of(request), import_id=file.pk)
    except ImportRefused as error:
        messages.error(request, error.detail)
    return redirect("bulk:show", pk)


@require_GET
@needs_right(Right.EDIT)
def result(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same file, with what was found and what came of each row."""
    file = _find(request, pk)
    trail.exported(kind=str(file.kind), rows=file.total)
    header = ["line", *file.header, "verdict", "outcome", "column", "reason"]
    return _download(f"result-{file.pk}.csv", reading.write(header, _results(file)))


def _results(file: Import) -> Iterator[Sequence[object]]:
    for row in file.rows.iterator(chunk_size=2000):
        cells = [row.cells.get(name, "") for name in file.header]
        yield [row.line, *cells, row.verdict, row.outcome, row.column, row.reason]


def _download(name: str, lines: Iterator[str]) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _state(file: Import) -> dict[str, Any]:
    counts = services.counts(file)
    done = counts["checked"] if file.status == Import.Status.CHECKING else counts["ran"]
    goal = file.total if file.status == Import.Status.CHECKING else counts["to_run"]
    return {"file": file, "counts": counts, "done": done, "goal": max(goal, 1)}


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _visible(request: HttpRequest) -> Any:
    """A superadmin sees every file, anybody else their own: rows name people."""
    actor = actor_of(request)
    files = Import.objects.all()
    return files if actor.is_superadmin else files.filter(uploaded_by=actor)


def _find(request: HttpRequest, pk: int) -> Import:
    file: Import | None = _visible(request).select_related("uploaded_by").filter(pk=pk).first()
    if file is None:
        raise Http404
    return file
