"""The plugins that come with tracedbg: in a wheel they lie here, in a checkout in the folder ``plugins``."""

from pathlib import Path

_CHECKOUT = Path(__file__).parents[2] / "plugins"

if _CHECKOUT.is_dir():
    __path__.append(str(_CHECKOUT))
