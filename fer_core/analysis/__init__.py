"""A whole media file -> a timeline of emotions: :func:`fer_core.analysis.analysis.analyze`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_core.analysis.analysis import analyze

__all__ = ["analyze"]


def __getattr__(name: str) -> Any:
    """``analyze``, when it is asked for: torch takes seconds, and ``--help`` does not need it."""
    if name == "analyze":
        from fer_core.analysis.analysis import analyze

        return analyze
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
