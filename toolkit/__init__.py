"""Who is asked and what comes of it: subjects, training, running, storing, statistics, CLI."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mevgs-toolkit")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
