"""Pages of merging: the wizard, the list of merges, one merge and its undo."""

from merging.views.merges import merge_list, merge_page, undo
from merging.views.wizard import candidates, wizard

__all__ = ["candidates", "merge_list", "merge_page", "undo", "wizard"]
