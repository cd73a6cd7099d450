"""The small parts that all pages share: icons, form rows, badges of state."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from accounts.models import Status

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 18, label: str = "") -> str:
    """An inline Lucide icon: decoration, unless it has a label."""
    return _svg(str(name), size, str(label))


@lru_cache(maxsize=2000)
def _svg(name: str, size: int, label: str) -> str:
    spoken = {"role": "img", "aria_label": str(label) + ""} if label else {"aria_hidden": "true"}
    return lucide(str(name) + "", size=size, **{"class": "icon"}, **spoken)


@register.inclusion_tag("_field.html")
def field(bound: BoundField, wide: bool = False, mark: bool = True) -> dict[str, Any]:
    """One row of a form: label, input, help and errors, tied together for screen readers.

    `mark=False` where every field is required, and saying so would be noise.
    """
    widget = bound.field.widget
    is_group = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    is_check = isinstance(widget, CheckboxInput)
    return {
        "bound": bound,
        "wide": wide,
        "is_marked": mark and bound.field.required,
        "is_group": is_group,
        "is_check": is_check,
        "input": "" if is_group else bound.as_widget(attrs=_attributes(bound, is_check)),
    }


def _attributes(bound: BoundField, is_check: bool) -> dict[str, str | bool]:
    kind = "form-select" if isinstance(bound.field.widget, Select) else "form-control"
    css = "form-check-input" if is_check else kind
    attributes: dict[str, str | bool] = {"class": f"{css} is-invalid" if bound.errors else css}
    described = [f"{bound.id_for_label}_help"] if bound.help_text else []
    if bound.errors:
        attributes["aria-invalid"] = "true"
        described.append(f"{bound.id_for_label}_error")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return attributes


@register.inclusion_tag("_status.html")
def status_badge(account: Any) -> dict[str, Any]:
    """The account's state in a word."""
    tones = {Status.ACTIVE: "quiet", Status.INACTIVE: "warning", Status.DELETED: "danger"}
    return {"account": account, "tone": tones.get(account.status, "info")}


@register.filter
def at(mapping: Any, key: Any) -> Any:
    """The value at a key, or nothing."""
    return mapping.get(key) if mapping else None


@register.filter
def soft(value: str) -> SafeString:
    """Text that may break after a dot or an at sign, as addresses in narrow columns should."""
    return mark_safe(re.sub(r"([.@_-])(?=\w)", r"\1<wbr>", escape(value)))  # noqa: S308  (escaped just here)
