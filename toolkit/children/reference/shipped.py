"""Answers of children that are included: where they come from, and that they are what was included.

``README.md`` beside the tables tells sources, columns and what was left out of them; the licences
lie there too.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.files import sha256_of
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent
"""Where the tables lie."""
LEWIS, PEEKBANK = "lewis2020_experiment1.csv", "peekbank_by_age.csv"
"""Their files."""
CHECKSUMS = {
    LEWIS: "684210702d4866239f66e3911c3fa3a72702015c48bf18745d22f1a66225ff25",
    PEEKBANK: "ad11bf39d463733245a94d4ace6653e577f80524e57b8eaa02dfd4201c93773a",
}
"""SHA-256 of the files as they are included."""
NOVEL_FAMILIAR = "NF"
"""Name of the test of mutual exclusivity among the trial types of Lewis et al. (2020)."""
LEWIS_SOURCE = (
    "Lewis, M., Cristiano, V., Lake, B. M., Kwan, T., & Frank, M. C. (2020). The role of "
    "developmental change and linguistic experience in the mutual exclusivity effect. Cognition, "
    "198, 104191. Trials of experiment 1: https://github.com/mllewis/me_vocab (MIT)."
)
PEEKBANK_SOURCE = (
    "Peekbank: looking while listening, 2,555 children in 26 datasets; aggregated from "
    "https://github.com/peekbank/peekbank-development, 1_d_sub.csv (MIT)."
)


def lewis2020() -> pd.DataFrame:
    """Answered trials of experiment 1 of Lewis et al. (2020), 186 children of 20 to 59 months.

    Returns:
        One row per trial: ``child`` (number), ``age_months``, ``trial_type`` (NF: a novel word, a
        novel beside a familiar object, the test of mutual exclusivity; NN: beside another novel
        object; C-NF, C-NN: familiar word in the same displays; FF: two familiar objects), ``word``
        (the object that was asked for), ``correct`` (0 or 1).

    Raises:
        ToolkitError: the file is not what was included.

    Example:
        >>> table = lewis2020()
        >>> len(table), table["child"].nunique()
        (3446, 186)
        >>> f'{table.loc[table["trial_type"] == "NF", "correct"].mean():.3f}'
        '0.836'
    """
    return _read(LEWIS)


def peekbank_by_age() -> pd.DataFrame:
    """Share of looking at the named one of two familiar pictures, by age, over many datasets.

    Returns:
        One row per age group: ``age_months`` (mean), ``looking_share`` (of 1), ``ci_low`` and
        ``ci_high`` (95 %, bootstrap over datasets), ``n_children``, ``n_datasets``.

    Raises:
        ToolkitError: the file is not what was included.

    Example:
        >>> table = peekbank_by_age()
        >>> table[["age_months", "looking_share"]].iloc[-1].tolist()
        [53.8525, 0.7629]
    """
    return _read(PEEKBANK)


def _read(name: str) -> pd.DataFrame:
    """A table that is included, if it is still what it was."""
    import pandas as pd

    file = FOLDER / name
    try:
        content = file.read_bytes()
        sound = sha256_of(file) == CHECKSUMS[name]
    except OSError:
        sound = False
    if not sound:
        raise ToolkitError(
            f"The included table {name} is missing or was changed.",
            given=str(file),
            allowed=f"the file as it is included, SHA-256 {CHECKSUMS[name]}",
            next_command="pip install --force-reinstall --no-deps mevgs-toolkit",
        )
    return pd.read_csv(io.BytesIO(content))
