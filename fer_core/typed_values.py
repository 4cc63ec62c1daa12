"""Frozen dataclasses from what JSON or YAML makes of them, checked by their annotations."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Literal


def read_section(kind: type, values: Any, path: str) -> Any:
    """A ``kind``, a frozen dataclass of dataclasses and plain values.

    A dataclass with a method ``in_full`` has a short form, which that writes out.

    Raises:
        ValueError: a key that is unknown or missing, or a value of the wrong type, named by its
            path; or what the dataclass itself refuses.
    """
    if hasattr(kind, "in_full"):
        values = kind.in_full(values)
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected an object, got {type(values).__name__}")
    hints = typing.get_type_hints(kind)
    if unknown := values.keys() - hints.keys():
        raise ValueError(f"{path}: unknown {', '.join(sorted(map(str, unknown)))}")
    needed = {own.name for own in dataclasses.fields(kind) if _has_no_default(own)}
    if missing := needed - values.keys():
        raise ValueError(f"{path}: {', '.join(sorted(missing))} missing")
    return kind(
        **{key: _value(hints[key], value, f"{path}.{key}") for key, value in values.items()}
    )


def _has_no_default(own: dataclasses.Field[Any]) -> bool:
    return own.default is dataclasses.MISSING and own.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, path: str) -> Any:
    """``value`` as the annotation ``hint`` wants it; JSON knows neither tuples nor whole floats."""
    if dataclasses.is_dataclass(hint):
        return read_section(typing.cast(type, hint), value, path)
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if type(value) in (int, float):  # as which YAML reads the 32 of 32 bits
            value = f"{value:g}"
        if value in options:
            return value
        raise ValueError(f"{path}: {value!r} is not one of {', '.join(map(repr, options))}")
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_value(options[0], item, path) for item in value)
    if type(None) in options:
        return None if value is None else _value(options[0], value, path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(hint, type) or type(value) is not hint:
        raise ValueError(f"{path}: expected {getattr(hint, '__name__', hint)}, got {value!r}")
    return value
