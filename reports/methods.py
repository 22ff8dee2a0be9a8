"""The methods paragraph, written from what the runs have recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reports.facts import toolkit_version
from reports.kinds import REPORTS
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from reports.chapter import Chapter, RunFiles
    from toolkit.tables.recorded import RecordedPopulation, RecordedSet

REFERENCES = (
    "The mevgs-toolkit authors (2026). mevgs-toolkit: child-study paradigms for visually "
    "grounded speech models (version {version}) [Computer software].",
    "Oneata, D., Nortje, L., Matusevych, Y., & Kamper, H. (2025). The mutual exclusivity bias of "
    "bilingual visually grounded speech models. Interspeech 2025. arXiv 2506.04037.",
    "Nortje, L., Oneata, D., Matusevych, Y., & Kamper, H. (2024). Visually grounded speech models "
    "have a mutual exclusivity bias. Transactions of the Association for Computational "
    "Linguistics. arXiv 2403.13922.",
)
"""The toolkit, with the year of its version, and the studies whose paradigms it runs."""


def methods(chapters: Sequence[Chapter[Any]]) -> list[str]:
    """Paragraphs on networks, stimuli, trials and analysis."""
    runs = [run for chapter in chapters for run in chapter.runs]
    return [
        " ".join(_populations(runs)),
        " ".join(text for own in chapters for text in REPORTS[own.kind].trials(own)),
        " ".join(_analysis(chapters)),
    ]


def references(chapters: Sequence[Chapter[Any]]) -> list[str]:
    """The toolkit, the studies, and the stimuli."""
    runs = [run for chapter in chapters for run in chapter.runs]
    told = [run.manifest for run in runs if run.manifest is not None]
    sets = dict.fromkeys(_set_reference(manifest.stimuli) for manifest in told)
    known = [text.format(version=toolkit_version(runs)) for text in REFERENCES]
    more = dict.fromkeys(t for own in chapters for t in REPORTS[own.kind].references(own))
    return [*known, *more, *sets]


def _set_reference(stimuli: RecordedSet) -> str:
    title = f"{stimuli.title}. " if stimuli.title else ""
    return (
        f"Stimulus set {stimuli.name}, version {stimuli.version}. {title}SHA-256 "
        f"{stimuli.checksum[:16]}. Licences of single files: see the credits."
    )


def _populations(runs: Sequence[RunFiles]) -> Iterator[str]:
    told = [run.manifest for run in runs if run.manifest is not None]
    for run in (run for run in runs if run.manifest is None):
        n = {row.population: row.n_seeds for row in run.summary.results}
        who = [f"{count(k, 'participant')} of {population}" for population, k in n.items()]
        yield f"Answers of {_joined(who)} come from the table {run.folder.name}."
    if not told:
        return
    about: dict[str, RecordedPopulation] = {}
    for manifest in told:
        about |= manifest.populations
    if not about:
        names = {name.partition("/")[0] for manifest in told for name in manifest.subjects}
        yield f"Subjects were the populations {_joined(sorted(names))}."
        return
    several = any(own.n_seeds > 1 for own in about.values())
    yield (
        "Subjects were "
        + _joined(
            [
                f"{count(own.n_seeds, 'network')} {_trained_on(name, own.languages)} ({name})"
                for name, own in about.items()
            ]
        )
        + (f", {_standing(runs)} standing for participants." if several else ".")
    )
    recipes = [
        (own.config.network or {}, own.config.training or {})
        for own in about.values()
        if own.config
    ]
    for network, training in _distinct(recipes):
        parts = []
        if "width" in network and "embedding" in network:
            parts.append(
                f"two transformer-pooling towers of width {network['width']} and embedding size "
                f"{network['embedding']} on frozen features of speech "
                f"({network.get('word_dim')} dimensions) and pictures "
                f"({network.get('picture_dim')} dimensions)"
            )
        if training.get("n_updates"):
            parts.append(
                f"trained contrastively for {training['n_updates']} updates of "
                f"{training.get('items')} items with {training.get('negatives')} negatives each "
                f"(Adam, highest rate {training.get('peak_lr')})"
            )
        if parts:
            yield f"Networks had {', '.join(parts)}." if len(parts) == 2 else f"{parts[0]}."


def _standing(runs: Sequence[RunFiles]) -> str:
    """What stands for participants."""
    found = {row.unit for run in runs for row in run.summary.results}
    names = {"seed": "training seeds", "draw": "draws of familiar words"}
    return _joined([text for unit, text in names.items() if unit in found])


def _trained_on(name: str, languages: Sequence[str]) -> str:
    """Languages of a population; those of published models are recorded nowhere."""
    from toolkit.subjects.clip.names import is_model_name

    if is_model_name(name) and not languages:
        return "whose training languages are not recorded"
    return f"trained on {_joined(languages) or 'no language'}"


def _distinct(recipes: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for recipe in recipes:
        if recipe not in found:
            found.append(recipe)
    return found


def _analysis(chapters: Sequence[Chapter[Any]]) -> Iterator[str]:
    for chapter in chapters:
        yield from REPORTS[chapter.kind].analysis(chapter)
    manifests = [manifest for chapter in chapters for manifest in chapter.manifests]
    packages = manifests[0].packages if manifests else {}
    wanted = ("torch", "transformers", "timm", "pandas")
    named = [f"{name} {packages[name]}" for name in wanted if packages.get(name)]
    if named:
        yield f"Further software: {_joined(named)}."
    on_cards = {one.device.told for one in manifests if one.device.kind != "cpu"}
    if on_cards:
        yield f"Networks computed on {_joined(sorted(on_cards))}."


def _joined(parts: Sequence[str]) -> str:
    """Parts in a list as English writes it.

    Example:
        >>> _joined(["a", "b", "c"]), _joined(["a"]), _joined([])
        ('a, b and c', 'a', '')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
