"""What a merge does to badges, points, coins and reward requests."""

from merging.handlers import Claim, MergeHandler, register
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest

for _key, _model in (
    ("badges", BadgeAward),
    ("points", PointEntry),
    ("coins", CoinEntry),
    ("reward_requests", RewardRequest),
):
    register(type(_key, (MergeHandler,), {"key": _key, "section": _key, "claims": (Claim(_model, "user"),)}))
