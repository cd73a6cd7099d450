"""What a merge does to licences and payments."""

from commerce.models import Subscription, Transaction
from merging.handlers import Claim, MergeHandler, register

for _key, _model in (("subscriptions", Subscription), ("transactions", Transaction)):
    register(type(_key, (MergeHandler,), {"key": _key, "section": _key, "claims": (Claim(_model, "user"),)}))
