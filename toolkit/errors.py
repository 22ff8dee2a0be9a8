"""Errors a user is meant to see; they live in the lowest layer and are offered here as well."""

from stimuli.errors import (
    ToolkitError,
    UncheckedWarning,
    command_line,
    first_line,
    nearest_name,
    nearest_names,
    quoted,
    typed,
    unknown_name,
)

__all__ = [
    "ToolkitError",
    "UncheckedWarning",
    "command_line",
    "first_line",
    "nearest_name",
    "nearest_names",
    "quoted",
    "typed",
    "unknown_name",
]
