"""The words of the multilingual CLIP: tokenizer, queries, and how a text half learns.

It learns from an eye that is already there and stays as it is. The objective is that of CLIP
(Radford et al., 2021) with a frozen picture half (Zhai et al., 2022, "LiT"): of all drawings in the
batch a name belongs to its own, and of all names in the batch a drawing is matched by its own. A
drawing is the mean of the places that it covers on its sheet, so the places are told here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import trainers as tokenizer_trainers
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from makers.multilingual_clip.eye import DIM, optimizer_for, rate, update
from makers.multilingual_clip.things import LANGUAGES, Concept
from stimuli.wordlists import WordList
from toolkit.subjects.clip.drawings import encode

BEST = 4
"""Places of a picture whose mean similarity counts as that of the picture."""
SPECIAL = {f"{name}_token_id": f"<{mark}>" for name, mark in
           (("pad", "pad"), ("eos", "end"), ("bos", "start"))}  # fmt: skip
"""Special tokens by their name in `CLIPTextConfig`, in the order of their numbers. The end must not
be number 2, which transformers takes for the sign of an old configuration."""


@dataclass(frozen=True, slots=True)
class TextSettings:
    """Everything that decides what a text half learns, besides its seed."""

    steps: int = 330
    """Updates."""
    names: int = 128
    """Drawings in a batch, each with one name."""
    learning_rate: float = 2e-3
    """Highest step size (warm-up over 5 %, then cosine to 0)."""
    weight_decay: float = 0.05
    """Decay of the matrices."""
    with_article: float = 0.3
    """Share of names that are said with an article."""
    vocabulary: int = 4096
    """Entries of the tokenizer."""


class Queries:
    """Names of concepts as they are said to the text half.

    CLDR gives no genders, so an article is drawn from those of the language: *ein* and *eine* are
    as likely before any German name. What is learnt of it is that articles tell nothing.
    """

    def __init__(self, concepts: Sequence[Concept], words: WordList, with_article: float) -> None:
        """Collect names and articles.

        Args:
            concepts: With their names.
            words: Has templates and articles of the languages.
            with_article: Share of names that are said with one.
        """
        self.concepts = concepts
        self.with_article = with_article
        self.articles = {
            code: sorted({words.word(concept, code).article for concept in words.words} - {""})
            for code in LANGUAGES
        }
        self.templates = {code: words.language(code).templates["article"] for code in LANGUAGES}

    def every(self) -> list[str]:
        """Every name, and every name with one article, for the tokenizer."""
        texts = []
        for place, concept in enumerate(self.concepts):
            for code, names in concept.names.items():
                for name in names:
                    texts.append(name)
                    articles = self.articles[code]
                    if articles:
                        article = articles[place % len(articles)]
                        texts.append(self.templates[code].format(word=name, article=article))
        return texts

    def draw(self, concept: int, random: np.random.Generator) -> str:
        """A name of a concept in a language that has one, each language as likely."""
        names = self.concepts[concept].names
        code = list(names)[random.integers(len(names))]
        name = names[code][random.integers(len(names[code]))]
        articles = self.articles[code]
        if articles and random.random() < self.with_article:
            article = articles[random.integers(len(articles))]
            return self.templates[code].format(word=name, article=article)
        return name


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> Tokenizer:
    """A byte-level BPE tokenizer in lower case, with a start and an end token.

    Args:
        texts: What it is fitted to; every language as often as it has names.
        vocabulary: Entries.

    Example:
        >>> tokenizer = train_tokenizer(["a cat", "a cow"] * 3, 300)
        >>> tokenizer.encode("A cat").tokens
        ['<start>', 'Ġa', 'Ġcat', '<end>']
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = tokenizer_trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL.values()),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    start, end = "<start>", "<end>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )
    return tokenizer


def clip_loss(scores: Tensor, concepts: Tensor) -> Tensor:
    """Symmetric contrastive loss; another drawing of the same thing is no counter-example.

    Args:
        scores: (n, n) scaled similarity of names (rows) and drawings.
        concepts: (n,) concept of each name and of each drawing.
    """
    same = concepts[:, None] == concepts
    same.fill_diagonal_(False)
    scores = scores.masked_fill(same, -torch.inf)
    own = torch.arange(len(scores))
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


def text_config(vocabulary: int) -> CLIPTextConfig:
    """Architecture of the text half.

    Args:
        vocabulary: Entries of the tokenizer.
    """
    numbers: dict[str, Any] = {key: number for number, key in enumerate(SPECIAL)}
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=40,
        hidden_act="gelu",
        projection_dim=DIM,
        **numbers,
    )


def train_texts(
    seen: Tensor,
    shown: Tensor,
    queries: Queries,
    tokenizer: Tokenizer,
    settings: TextSettings,
    seed: int,
    progress: Callable[[Mapping[str, float]], None] = lambda row: None,
    every: int = 100,
) -> tuple[Any, list[dict[str, float]]]:
    """Teach the names to one text half.

    Args:
        seen: (n, d) of length one, what eye and head make of drawings.
        shown: (n,) concept of each.
        queries: Names of the concepts.
        tokenizer: Turns names into tokens.
        settings: How.
        seed: Of the first weights, and of what is shown and said.
        progress: Told each row of the log.
        every: Updates between rows of the log.

    Returns:
        A CLIPTextModelWithProjection of transformers, and the log.
    """
    torch.manual_seed(seed)
    config = text_config(tokenizer.get_vocab_size())
    model: Any = CLIPTextModelWithProjection(config)
    log_scale = torch.nn.Parameter(torch.tensor(math.log(16.0)))
    learner = torch.nn.ModuleDict({"text": model})
    learner.register_parameter("log_scale", log_scale)
    optimizer = optimizer_for(learner, settings.weight_decay)
    rows: list[dict[str, float]] = []
    running, since = 0.0, 0
    for step in range(settings.steps):
        random = np.random.default_rng([seed, step])
        chosen = torch.from_numpy(random.integers(len(shown), size=settings.names))
        concepts = shown[chosen]
        texts = [queries.draw(int(concept), random) for concept in concepts]
        named = text_vectors(model, encode(tokenizer, texts, config.max_position_embeddings))
        scores = log_scale.exp().clamp(max=50) * named @ seen[chosen].T
        loss = clip_loss(scores, concepts)
        update(optimizer, learner, loss, rate(step, settings.steps, settings.learning_rate))
        running, since = running + loss.item(), since + 1
        if (step + 1) % every == 0 or step + 1 == settings.steps:
            rows.append({"step": step + 1, "loss": running / since})
            progress(rows[-1])
            running, since = 0.0, 0
    return model.eval(), rows


def text_vectors(model: Any, tokens: Tensor) -> Tensor:
    """Unit vectors (n, d) of texts given as token numbers (n, length)."""
    return F.normalize(model(input_ids=tokens).text_embeds, dim=-1)
