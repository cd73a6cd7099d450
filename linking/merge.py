"""What a merge does to link groups."""

from merging.handlers import Claim, MergeHandler, register

from linking.models import Link, Membership, Pair


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
