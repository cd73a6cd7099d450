"""The kinds of file, each with its columns, its check and its work."""

from collections.abc import Mapping

from bulk.kinds.base import Kind
from bulk.kinds.merges import MergesKind
from bulk.kinds.records import RecordsKind
from bulk.kinds.users import UsersKind
from bulk.models import Import

KINDS: Mapping[str, Kind] = {
    Import.Kind.USERS: UsersKind(),
    Import.Kind.MERGES: MergesKind(),
    Import.Kind.RECORDS: RecordsKind(),
}

__all__ = ["KINDS", "Kind"]
