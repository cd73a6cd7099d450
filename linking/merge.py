"""What a merge does to link groups."""

from linking.models import Link, Membership, Pair
from merging.handlers import Claim, MergeHandler, register


@register
class LinkHandler(MergeHandler):
    key = section = "links"
    claims = (
        Claim(Membership, "user"),
        Claim(Link, "account"),
        Claim(Link, "other"),
        Claim(Pair, "account"),
        Claim(Pair, "counterpart"),
    )
