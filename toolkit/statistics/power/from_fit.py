"""Planning from a fitted model: reads its JSON and takes effect, SDs and design from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from stimuli.files import read_sound
from stimuli.schemas import Between, Source, checked
from stimuli.texts import decode_json
from toolkit.errors import ToolkitError, quoted, unknown_name
from toolkit.statistics.phrases import count
from toolkit.statistics.power.models import LogitModel

MARKS = {"coefficients", "random_effects", "family", "n_observations"}
"""Keys by which a fitted model (`FitResult`) is known in a JSON file."""


@dataclass(frozen=True)
class PlannedTerm:
    """A fixed effect that may be planned with."""

    name: str
    """Its name."""
    estimate: float
    """Log odds."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was written."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class PlannedVariation:
    """A random effect that may be planned with."""

    group: str
    """Grouping factor."""
    terms: tuple[str, ...]
    """What varies."""
    sds: tuple[float, ...]
    """Standard deviation of each."""
    n_levels: Annotated[int, Between(1)]
    """Levels in the data."""
    correlations: tuple[tuple[float, ...], ...]
    """Of the terms."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was written."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class PlannedFit:
    """What a fitted model in a JSON file must say to be planned from: its schema."""

    family: str
    """``binomial`` can be planned from."""
    converged: bool
    """Whether it has numbers."""
    n_observations: Annotated[int, Between(0)]
    """Trials."""
    coefficients: tuple[PlannedTerm, ...]
    """Fixed effects."""
    random_effects: tuple[PlannedVariation, ...]
    """Random effects."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was written."""
    rest: ClassVar[str] = "further"


def model_from_fit(
    path: str | Path, name: str | None = None, effect: str | None = None, **stated: float | None
) -> tuple[LogitModel, tuple[str, ...]]:
    """The planning model that a fitted logistic mixed model stands for.

    Base accuracy is the inverse logit of the intercept, the odds ratio that of the effect of the
    group; SDs come from the random effects of seeds and words, the number of words from their
    levels, and trials per word from observations over seeds and words. Other random effects
    (pictures, recordings) are left out of the simulation, and told.

    Args:
        path: JSON file that holds one fit or several, anywhere in it, as
            ``toolkit.records.plain(fit)`` writes them.
        name: which fit, where the file holds several: the name of the comparison, or the keys
            that lead to it, joined by dots.
        effect: name of the coefficient that compares the groups; by default the one called
            ``bilingual...``, or the only one.
        stated: fields of `LogitModel` that replace what was fitted; None for as fitted.

    Returns:
        The model, and what the reader must know, in sentences.

    Raises:
        ToolkitError: the file, the fit or the effect is not there, the fit is no logistic model
            or did not converge, or a value in it cannot be planned with.

    Example:
        >>> import json
        >>> import tempfile
        >>> fit = {"family": "binomial", "converged": True, "n_observations": 12000,
        ...        "coefficients": [{"name": "(Intercept)", "estimate": 0.6},
        ...                         {"name": "bilingual", "estimate": -0.2}],
        ...        "random_effects": [{"group": "seed", "terms": ["(Intercept)"], "sds": [0.3],
        ...                            "n_levels": 12, "correlations": [[1]]},
        ...                           {"group": "word", "terms": ["(Intercept)"], "sds": [0.8],
        ...                            "n_levels": 20, "correlations": [[1]]}]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "fit.json").write_text(json.dumps(fit))
        ...     model, notes = model_from_fit(Path(folder) / "fit.json", seed_sd=0.4)
        >>> round(model.base_accuracy, 3), model.seed_sd, model.n_words, model.trials_per_word
        (0.646, 0.4, 20, 50)
    """
    fit = _chosen(Path(path), name)
    try:
        return _model(fit, effect, {k: v for k, v in stated.items() if v is not None})
    except (ArithmeticError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ToolkitError(
            f"{path} holds a fitted model that cannot be read: {error!r}.",
            allowed="a file written by this version of the toolkit",
        ) from error


def _chosen(path: Path, name: str | None) -> Mapping[str, Any]:
    allowed = "JSON with a fitted model, such as statistics.json of an analysed run"
    if not path.exists():
        raise ToolkitError("There is no such file.", given=str(path), allowed=allowed)
    fits: dict[str, Mapping[str, Any]] = {}
    try:
        content = read_sound(path)
    except OSError as error:
        raise ToolkitError(f"{path} cannot be read: {error.strerror}.", allowed=allowed) from error
    for key, fit in _fits(decode_json(path, content, Source(str(path)))):
        checked(PlannedFit, fit, Source(str(path)), key)
        fits.setdefault(key, fit)  # the same comparison may follow for the seeds a gate held back
    if not fits:
        raise ToolkitError(f"{path} holds no fitted model.", allowed=allowed)
    comparisons = {key: fit for key, fit in fits.items() if len(fit["coefficients"]) > 1}
    fits = comparisons or fits
    if name is None:
        if len(fits) > 1:
            raise ToolkitError(
                f"{path} holds {len(fits)} fitted models.",
                allowed="; ".join(fits),
                next_command=f"--model {quoted(next(iter(fits)))}",
            )
        return next(iter(fits.values()))
    if name not in fits:
        raise unknown_name(f"fitted model in {path}", name, list(fits))
    return fits[name]


def _fits(
    content: Any, keys: tuple[str, ...] = (), name: str | None = None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every fitted model in nested JSON, by the name beside it or the keys that lead to it."""
    items: Any = enumerate(content) if isinstance(content, list) else ()
    if isinstance(content, dict):
        if content.keys() >= MARKS:
            yield name or ".".join(keys) or "fit", content
            return
        items, told = content.items(), content.get("name")
        name = told if isinstance(told, str) else None
    for key, value in items:
        yield from _fits(value, (*keys, str(key)), name)


def _model(
    fit: Mapping[str, Any], effect: str | None, stated: dict[str, Any]
) -> tuple[LogitModel, tuple[str, ...]]:
    if fit["family"] != "binomial":
        raise ToolkitError(
            "Planning from a fit needs a logistic model.",
            given=str(fit["family"]),
            allowed="binomial",
            next_command="--difference and --seed-sd in percentage points",
        )
    if not fit["converged"]:
        raise ToolkitError(
            "The fitted model did not converge, so it has no numbers to plan with.",
            next_command="state --odds-ratio, --base-accuracy and --seed-sd",
        )
    estimates = {str(c["name"]): float(c["estimate"]) for c in fit["coefficients"]}
    effect = _effect(estimates, effect)
    seeds, words = (_random_effect(fit["random_effects"], kind, effect) for kind in GROUPS)
    if seeds is None:
        raise ToolkitError(
            "The fitted model has no random effect of seeds.",
            given=", ".join(str(r["group"]) for r in fit["random_effects"]) or "none",
            allowed="a grouping factor called seed",
        )
    sds, correlation = _sds(words, effect)
    n_words = int(stated.get("n_words", words["n_levels"] if words else 1))
    per_seed = fit["n_observations"] / seeds["n_levels"]
    fitted = {
        "base_accuracy": 1 / (1 + math.exp(-estimates["(Intercept)"])),
        "odds_ratio": math.exp(estimates[effect]),
        "seed_sd": float(seeds["sds"][0]),
        "word_sd": sds[0],
        "slope_sd": sds[1],
        "slope_correlation": correlation,
        "n_words": n_words,
        "trials_per_word": max(1, round(per_seed / (words["n_levels"] if words else 1))),
    }
    if fitted["seed_sd"] == 0 and "seed_sd" not in stated:
        raise ToolkitError(
            "The fitted SD over seeds is 0 (a singular fit): one seed would seem enough.",
            next_command="state a likely one, e.g. --seed-sd 0.2",
        )
    return LogitModel(**(fitted | stated)), tuple(_notes(fit, seeds, words, effect, stated))


GROUPS = ("seed", "word")
"""What the grouping factors are called, or begin with."""


def _effect(estimates: Mapping[str, float], asked: str | None) -> str:
    names = [name for name in estimates if name != "(Intercept)"]
    if asked is not None:
        if asked not in names:
            raise unknown_name("effect in the fitted model", asked, names)
        return asked
    likely = [n for n in names if n.startswith("bilingual") and ":" not in n] or names
    if len(likely) != 1:
        raise ToolkitError(
            "Say which effect of the fitted model compares the groups.",
            allowed=", ".join(names) or "(the model has only an intercept)",
            next_command=f"--effect {quoted(likely[0])}" if likely else "--odds-ratio",
        )
    return likely[0]


def _random_effect(effects: list[Any], kind: str, slope: str) -> Mapping[str, Any] | None:
    """The random effect of seeds or words: one with an intercept, best one with the slope."""
    found = [
        r
        for r in effects
        if any(part.startswith(kind) for part in str(r["group"]).split(":"))
        and r["terms"][0] == "(Intercept)"
    ]
    return max(found, key=lambda r: slope in r["terms"], default=None)


def _sds(words: Mapping[str, Any] | None, effect: str) -> tuple[tuple[float, float], float]:
    """SDs over words of intercept and effect, and their correlation (0 where undefined)."""
    if words is None:
        return (0.0, 0.0), 0.0
    if effect not in words["terms"]:
        return (float(words["sds"][0]), 0.0), 0.0
    place = words["terms"].index(effect)
    correlation = words["correlations"][0][place]
    return (float(words["sds"][0]), float(words["sds"][place])), float(correlation or 0.0)


def _notes(
    fit: Mapping[str, Any],
    seeds: Mapping[str, Any],
    words: Mapping[str, Any] | None,
    effect: str,
    stated: Mapping[str, Any],
) -> Iterator[str]:
    if "odds_ratio" not in stated:
        yield (
            f"The effect is the estimate of {effect} in the fitted data. An effect chosen because "
            "it was found is too large on average; plan with the smallest that would matter."
        )
    if "seed_sd" not in stated:
        yield f"The SD over seeds was estimated from {count(seeds['n_levels'], 'seed')}."
    moderated = [c["name"] for c in fit["coefficients"] if effect in str(c["name"]).split(":")]
    if len(moderated) > 1:
        yield (
            f"{effect} interacts with other predictors ({', '.join(moderated[1:])}): accuracy and "
            "effect are those at their reference levels, trials per word a mean over all."
        )
    others = [
        f"{r['group']} (SD {r['sds'][0]:.2f})"
        for r in fit["random_effects"]
        if r is not seeds and r is not words
    ]
    if others:
        yield f"Not simulated: the variation over {', '.join(others)}."
