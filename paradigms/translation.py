"""Cross-lingual translation: do words that mean the same lie together across languages?"""

from collections.abc import Sequence

import numpy as np

from paradigms import Condition, Paradigm, Responses, Trials, paradigm
from paradigms.base import Floats
from stimuli import StimulusSet
from stimuli.errors import ToolkitError


@paradigm("translation", version=1)
class Translation(Paradigm):
    """Every clip of one language is given to the nearest word centroid of another language.

    Centroids are means of L2-normalised embeddings, normalised again; nearest by Euclidean
    distance (Oneata et al. 2025, arXiv 2506.04037). The score of a class is minus the distance.
    """

    question = "Is a word nearest to its translation in the other language?"
    source = "Oneata et al. 2025 (arXiv 2506.04037), translation by nearest centroid"
    conditions = (
        Condition("familiar", "familiar word among the familiar classes", headline=True),
        Condition("novel", "novel word among the novel classes (shared forms can help)"),
    )
    formula = "correct ~ 1 + (1 | seed) + (1 | word_concept)"
    shows_pictures = False
    min_languages = 2

    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
        languages: Sequence[str],
    ) -> Trials:
        """One trial per test clip and other language, at most ``per_class`` clips per class."""
        words = stimuli.select(kind="word", split="test")
        heard = words[words["language"] == language]
        concept_of = {str(name): str(concept) for name, concept in words["concept"].items()}
        rows: list[dict[str, object]] = []
        members: dict[str, tuple[str, ...]] = {}
        for source in sorted(set(languages) - {language}):
            named = words[words["language"] == source]
            for status in ("familiar", "novel"):
                shared = set(heard["concept"][heard["status"] == status]) & set(named["concept"])
                classes = sorted(shared)
                if len(classes) < 2:
                    continue
                concept_of |= {f"{source}/{name}": name for name in classes}
                for name in classes:
                    members[f"{source}/{name}"] = tuple(named.index[named["concept"] == name])
                    clips = heard.index[heard["concept"] == name]
                    others = [f"{source}/{other}" for other in classes if other != name]
                    for clip in sorted(rng.permutation(clips)[:per_class]):
                        rows.append(
                            {
                                "condition": status,
                                "word_id": clip,
                                "target_id": f"{source}/{name}",
                                "distractor_ids": others,
                            }
                        )
        if not rows:
            raise ToolkitError(
                f"Translation into {language!r} needs another language with the same word classes.",
                allowed="two or more of " + ", ".join(stimuli.languages),
                next_command="mevgs-toolkit run-paradigm translation --subject bilingual-en-nl",
            )
        return Trials.from_rows(
            rows,
            concept_of=concept_of,
            rng=rng,
            option_words=members,
            familiar=frozenset(words["concept"][words["status"] == "familiar"]),
        )

    def measure(self, trials: Trials, responses: Responses) -> Floats:
        """Minus the Euclidean distance between a clip and the centroid of each class."""
        vectors = _unit(responses.words)
        row_of = {word: row for row, word in enumerate(trials.word_ids)}
        members = [[row_of[word] for word in trials.option_words[o]] for o in trials.option_ids]
        centroids = _unit(np.stack([vectors[rows].mean(axis=0) for rows in members]))
        distance: Floats = np.sqrt(np.maximum(0, 2 - 2 * vectors @ centroids.T))
        return -distance[trials.word[:, None], trials.options]


def _unit(vectors: Floats) -> Floats:
    """Scale (n, d) vectors to length one; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length == 0, 1, length)).astype(np.float32)
