"""The page of the Python interface: every name that `toolkit` offers, by its docstring."""

from __future__ import annotations

import inspect

import toolkit

INTRODUCTION = """# Python interface

What `import toolkit` offers. [From Python](../python.md) shows how it is used.
"""


def interface_page() -> str:
    """Functions first, then classes; their docstrings are put in by mkdocstrings.

    Example:
        >>> page = interface_page()
        >>> page.index("::: toolkit.run_paradigm") < page.index("::: toolkit.Run")
        True
    """
    offered = {name: getattr(toolkit, name) for name in toolkit.__all__ if name[0] != "_"}
    classes = {name for name, thing in offered.items() if inspect.isclass(thing)}
    parts = [INTRODUCTION]
    for heading, names in (("Functions", offered.keys() - classes), ("Classes", classes)):
        blocks = [f"::: toolkit.{name}" for name in sorted(names)]
        parts += [f"## {heading}", *blocks]
    return "\n\n".join(parts) + "\n"
