"""Pages of merging: the wizard, the list of merges, one merge and its undo."""

from merging.views.merges import merge_list, merge_page, undo
from merging.views.wizard import wizard

__all__ = ["merge_list", "merge_page", "undo", "wizard"]
