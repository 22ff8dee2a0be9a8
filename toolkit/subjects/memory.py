"""An exemplar memory for any subject: it keeps pairs of words and pictures as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.subjects.contract import Clip, Floats, Picture, Subject


@dataclass(frozen=True, eq=False)
class ExemplarMemory:
    """A subject with a memory of pairs, in the manner of exemplar models of categories.

    A word recalls remembered pictures, more so the more alike the remembered words are to it, and
    what is recalled stands in for the word: a picture's score is the subject's own similarity of
    the word to it, plus that of each remembered picture to it, weighted by
    ``exp(sharpness (cosine of the two words - 1))``. The word itself has the weight 1. With an
    empty memory the subject is as it was. After the generalised context model (Nosofsky 1986,
    Journal of Experimental Psychology: General), with the subject's own space in place of rated
    similarities.
    """

    subject: Subject
    """Whose words and pictures lie in one space."""
    sharpness: float
    """See above."""
    words: Floats | None = None
    """(n, d) embeddings of the remembered words; None for an empty memory."""
    pictures: Floats | None = None
    """(n, d) embeddings of the remembered pictures."""

    def embed_words(self, clips: Sequence[Clip]) -> Floats:
        """Embed n clips as the subject does, (n, d)."""
        return self.subject.embed_words(clips)

    def embed_pictures(self, pictures: Sequence[Picture]) -> Floats:
        """Embed m pictures as the subject does, (m, d)."""
        return self.subject.embed_pictures(pictures)

    def learn(self, pairs: Sequence[tuple[Clip, Picture]]) -> ExemplarMemory:
        """The subject with n pairs of clips and pictures more in its memory."""
        clips, pictures = zip(*pairs, strict=True)
        return self.remember(self.embed_words(clips), self.embed_pictures(pictures))

    def remember(self, words: Floats, pictures: Floats) -> ExemplarMemory:
        """The same from (n, d) embeddings.

        Raises:
            ToolkitError: if words and pictures have no space in common.

        Example:
            >>> from toolkit.subjects.frozen import FrozenFeatures
            >>> ExemplarMemory(FrozenFeatures(None, None), 10).remember(np.eye(2), np.eye(2)).words
            array([[1., 0.],
                   [0., 1.]])
        """
        if words.shape[1] != pictures.shape[1]:
            raise ToolkitError(
                "Words and pictures that lie in different spaces cannot be remembered as pairs.",
                given=f"{words.shape[1]} and {pictures.shape[1]} dimensions",
                allowed="a subject that embeds words and pictures in one space",
            )
        if self.words is not None and self.pictures is not None:
            words = np.concatenate([self.words, words])
            pictures = np.concatenate([self.pictures, pictures])
        return replace(self, words=words, pictures=pictures)

    def similarity(self, words: Floats, pictures: Floats) -> Floats:
        """Score (n, d) words against (m, d) pictures as (n, m); higher is a better match."""
        own = self.subject.similarity(words, pictures)
        if self.words is None or self.pictures is None:
            return own
        weights = np.exp(self.sharpness * (_unit(words) @ _unit(self.words).T - 1))
        recalled: Floats = own + weights @ self.subject.similarity(self.pictures, pictures)
        return recalled


def _unit(vectors: Floats) -> Floats:
    """Scale (n, d) vectors to length one; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length == 0, 1, length)).astype(np.float32)
