"""The model card of a population: its `README.md`, under a header that the model hubs read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

FILE = "README.md"
LIBRARY = "mevgs-toolkit"
OUR_LICENCE = "apache-2.0"
"""Of weights that the toolkit trained itself."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ORDER = ["license", "library_name", "language", "tags"]


def model_card(
    text: str,
    *,
    name: str,
    languages: Sequence[str],
    tags: Sequence[str],
    licence: str = OUR_LICENCE,
    results: Sequence[EvalResult] = (),
) -> str:
    """A text under the header that the Hugging Face Hub and its like read.

    Args:
        text: the card below its header, in Markdown.
        name: of the population.
        languages: that it was trained on; codes that the Hub does not know are left out there.
        tags: what it is about, as one searches for it.
        licence: of the weights, as the Hub writes it, e.g. `apache-2.0` or `unknown`.
        results: how well it does, see `average`.

    Returns:
        Content of the file, ending as the text ends.

    Example:
        >>> print(model_card("# mine", name="mine", languages=["no", "zh-CN"], tags=["words"]))
        ---
        license: apache-2.0
        library_name: mevgs-toolkit
        language:
        - 'no'
        - zh
        tags:
        - words
        ---
        <BLANKLINE>
        # mine
    """
    from huggingface_hub import ModelCard, ModelCardData

    header = ModelCardData(
        license=licence,
        library_name=LIBRARY,
        language=_codes(languages) or None,
        tags=list(tags),
        model_name=name,
        eval_results=list(results) or None,
    )
    if not results:
        header.pop("model_name")  # it names the results
    return str(ModelCard(f"---\n{header.to_yaml(original_order=_ORDER)}\n---\n\n{text}"))


def average(
    values: Iterable[float],
    *,
    name: str,
    task: str,
    stimuli: str,
    split: str | None = None,
    language: str | None = None,
) -> EvalResult:
    """Share of right answers, mean over seeds, as the Hub lists it.

    Args:
        values: share of each seed, of 1.
        name: what was counted.
        task: as the Hub calls it, e.g. `zero-shot-image-classification`.
        stimuli: name of the stimulus set or the material.
        split: part of it.
        language: of the words.

    Example:
        >>> made = average([0.5, 0.6], name="of two", task="zero-shot-image-classification",
        ...                stimuli="mini", split="valid")
        >>> made.metric_type, made.metric_value
        ('accuracy', 0.55)
    """
    from huggingface_hub import EvalResult

    from stimuli.names import file_name

    listed = list(values)
    return EvalResult(
        task_type=task,
        dataset_type=file_name(stimuli),  # without blanks, as the Hub wants it
        dataset_name=stimuli,
        dataset_split=split,
        dataset_config=language,
        metric_type="accuracy",
        metric_name=f"{name}, mean over seeds",
        metric_value=round(sum(listed) / len(listed), 6),
    )


def _codes(languages: Sequence[str]) -> list[str]:
    """ISO 639 codes, which a language has without its region or script."""
    codes = dict.fromkeys(re.split("[-_]", one)[0].lower() for one in languages)
    return [code for code in codes if _LANGUAGE.fullmatch(code)]
