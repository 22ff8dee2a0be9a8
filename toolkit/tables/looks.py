"""Columns that trials of looking have besides those of every trials table."""

from __future__ import annotations

from toolkit.tables.trials import Column

LOOK_COLUMNS = (
    Column("gate_ms", "int16", "time from the onset of the word up to which it was heard, ms"),
    Column("looking", "float32", "share of looking at the target: softmax of the two scores"),
    Column("temperature", "float32", "temperature of that softmax, fitted on practice trials"),
)
"""In their order."""
