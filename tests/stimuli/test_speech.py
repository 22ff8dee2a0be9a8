"""Speaking lists of words; what needs espeak-ng is skipped where it is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from stimuli import espeak, open_set
from stimuli.errors import ToolkitError
from stimuli.media import decode_clip
from stimuli.names import file_name
from stimuli.speech import (
    PITCHES,
    RATES_WPM,
    VOICES,
    Utterance,
    Word,
    jitter,
    mispronounced,
    plan,
    record,
    speak,
    synthesize,
)
from stimuli.wordlist import read_word_list

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="the program espeak-ng is not installed"
)


def test_jitter_stays_in_range_and_fills_it() -> None:
    drawn = [jitter("en", "cat", "f1", take) for take in range(2000)]
    pitches, rates = zip(*drawn, strict=True)
    assert (min(pitches), max(pitches)) == PITCHES
    assert (min(rates), max(rates)) == RATES_WPM


def test_jitter_never_changes() -> None:
    assert jitter("en", "bear", "default", 0) == (41, 149)
    assert jitter("fr", "tree", "rob", 1, seed=3) == (43, 147)


def test_adding_a_word_changes_no_other() -> None:
    few = [Word("cat", "familiar", "kat"), Word("key", "novel", "sleutel")]
    more = [Word("dog", "familiar", "hond"), *few]
    assert set(plan(few, "nl")) < set(plan(more, "nl"))


def test_novel_words_are_said_by_test_voices_only() -> None:
    said = list(plan([Word("key", "novel", "key")], "en", takes=5, novel_takes=2))
    assert {one.split for one in said} == {"test"}
    assert len(said) == 2 * sum(split == "test" for split in VOICES.values())


def test_identifiers_can_be_paths() -> None:
    word = Word("ice cream/../x", "familiar", "ijs")
    said = Utterance(word, "nl", "Mr serious", "test", 0, 50, 150)
    name = file_name("ice cream/../x")
    assert name.startswith("ice-cream-x-")
    assert said.path == f"words/nl/{name}/nl_{name}_Mr-serious_0.opus"


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("concpt,word\ncat,kat\n", ["no column 'concept' (did you mean to rename 'concpt'?)"]),
        ("concept,word\n", ["it has no words"]),
        ("", ["no column 'concept'", "no column 'word'"]),
        ("concept,word\ncat,\ndog\n", ["line 2 lacks", "line 3 lacks"]),
        ("concept,word\ncat,kat\ncat,poes\n", ["line 3 names the concept 'cat' again"]),
        ("concept,word,status\ncat,kat,old\n", ["line 2: status 'old' is not one of"]),
        ("concept,word,status\ncat,kat,novel\n", ["'cat' is familiar in the set, not novel"]),
    ],
)
def test_faults_of_a_word_list(content: str, faults: list[str], tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text(content)
    with pytest.raises(ToolkitError) as caught:
        read_word_list(path, {"cat": "familiar"})
    for fault in faults:
        assert fault in caught.value.message


def test_unreadable_word_lists(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="cannot be read"):
        read_word_list(tmp_path / "missing.csv", {})
    (tmp_path / "latin.csv").write_bytes("concept,word\nbear,Bär\n".encode("latin-1"))
    with pytest.raises(ToolkitError, match="is not UTF-8"):
        read_word_list(tmp_path / "latin.csv", {})


def test_status_comes_from_the_list_or_the_set(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("concept,word,status\nkey,Schlüssel,\ncat,Katze,\nfox,Fuchs,novel\n")
    words = read_word_list(path, {"key": "novel"})
    assert [word.status for word in words] == ["novel", "familiar", "novel"]


def test_without_espeak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    espeak.languages.cache_clear()
    with pytest.raises(ToolkitError, match="espeak-ng, which speaks the words") as caught:
        synthesize(tmp_path / "words.csv", "de", tmp_path / "out")
    assert "apt-get install espeak-ng" in str(caught.value)


@needs_espeak
def test_speak_is_the_same_every_time() -> None:
    clip = speak("olifant", "nl", "f1", 40, 160)
    assert clip.dtype == np.float32
    assert clip.shape == (len(clip),)
    assert len(clip) % 640 == 0
    assert 6_400 <= len(clip) <= 16_000
    assert np.abs(clip).max() == pytest.approx(0.9)
    assert np.array_equal(clip, speak("olifant", "nl", "f1", 40, 160))
    assert not np.array_equal(clip, speak("olifant", "nl", "f1", 41, 160))


@needs_espeak
def test_all_voices_are_there() -> None:
    assert set(VOICES) - {"default"} <= set(espeak.variants())
    assert {"en-us", "nl", "fr-fr", "fr", "de"} <= set(espeak.languages())


@needs_espeak
@pytest.mark.parametrize("language", ["en", "nl", "fr", "fr-fr", "de"])
def test_voices_differ_in_every_language(language: str) -> None:
    clips = [speak("radio", language, voice) for voice in ("default", "f1", "rob")]
    assert len({clip.tobytes() for clip in clips}) == 3


@needs_espeak
@pytest.mark.parametrize(
    ("language", "voice", "nearest"), [("dee", "f1", "de"), ("de", "belina", "belinda")]
)
def test_unknown_language_and_voice(language: str, voice: str, nearest: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        speak("Hund", language, voice)
    assert caught.value.nearest == nearest
    assert "espeak-ng --voices" in (caught.value.next_command or "")


@needs_espeak
def test_nothing_to_say() -> None:
    with pytest.raises(ToolkitError, match="nothing to say"):
        speak(" ", "en")


@needs_espeak
def test_a_new_set(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("concept,word,status\ncat,Katze,familiar\nkey,-Schlüssel,novel\n")
    made = synthesize(words, "de", tmp_path / "deutsch", ["f1", "rob"], takes=2)
    assert made.check() == []
    assert made.languages == ("de",)
    assert list(made.select(status="familiar")["voice"]) == ["f1", "f1", "rob", "rob"]
    assert list(made.select(status="novel")["voice"]) == ["rob", "rob"]
    again = synthesize(words, "de", tmp_path / "again", ["f1", "rob"], takes=2)
    assert again.checksum == made.checksum


@needs_espeak
def test_one_more_language_of_a_set(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("concept,word\ncat,kat\nkey,sleutel\n")
    out = tmp_path / "set"
    out.mkdir()
    mini = open_set("mini")
    pictures = mini.select(kind="picture")
    keep = pictures[pictures["concept"].isin(["cat", "key"])].groupby("concept").head(2)
    for path in keep["path"]:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mini.folder / path, out / path)
    shutil.copy(mini.folder / "set.toml", out)
    keep.assign(colour_of_frame="none").to_csv(out / "stimuli.csv")
    first = synthesize(words, "nl", out, ["boris"], takes=1)
    assert first.languages == ("en", "nl", "fr")
    assert len(first.table) == 4 + 2
    assert set(first.table["colour_of_frame"]) == {"none", ""}
    words.write_text("concept,word\ncat,Katze\n")
    second = synthesize(words, "de", out, ["boris"], takes=3)
    assert len(second.table) == 4 + 2 + 3
    assert second.languages[-1] == "de"
    assert list(synthesize(words, "de", out, ["boris"], takes=1).select(language="de")["word"]) == [
        "Katze"
    ]


@needs_espeak
def test_a_new_set_with_pictures_of_a_known_one(tmp_path: Path) -> None:
    """Statuses are those of the known set; what has no picture there is refused."""
    mini, words = open_set("mini"), tmp_path / "words.csv"
    words.write_text("concept,word\nbear,Bär\nkey,Schlüssel\n", encoding="utf-8")
    voices = ("default", "Andrea")
    made = synthesize(words, "de", tmp_path / "out", voices, takes=1, pictures_of=mini)
    assert made.check() == []
    pictures = made.select(kind="picture")
    assert set(pictures["concept"]) == {"bear", "key"}
    assert made.picture_size_px == mini.picture_size_px
    assert set(pictures["sha256"]) < set(mini.select(kind="picture")["sha256"])
    said = made.select(kind="word")
    told = set(zip(said["concept"], said["status"], said["split"], strict=True))
    assert told == {
        ("bear", "familiar", "train"), ("bear", "familiar", "test"), ("key", "novel", "test")
    }  # fmt: skip
    with pytest.raises(ToolkitError, match="keeps the pictures that it has"):
        synthesize(words, "de", tmp_path / "out", voices, takes=1, pictures_of=mini)
    words.write_text("concept,word\nbaer,Bär\n", encoding="utf-8")
    with pytest.raises(ToolkitError) as caught:
        synthesize(words, "de", tmp_path / "other", voices, takes=1, pictures_of=mini)
    assert (caught.value.given, caught.value.nearest) == ("baer", "bear")
    assert not (tmp_path / "other").exists()


@needs_espeak
def test_concepts_that_look_alike_get_clips_of_their_own(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    alike = ["ice cream", "ice-cream", "Ice Cream", "A B", "A/B", "किताब", "कताबी", "con", "CON"]
    lines = [f"{concept},Wort {number}" for number, concept in enumerate(alike)]
    words.write_text("\n".join(["concept,word", *lines]), encoding="utf-8")
    made = synthesize(words, "de", tmp_path / "deutsch", ["Andrea", "Andrea"], takes=1)
    assert made.check() == []
    assert list(made.table["concept"]) == alike
    assert len({path.casefold() for path in made.table["path"]}) == len(alike)


@needs_espeak
def test_a_word_never_replaces_what_stays_in_a_set(tmp_path: Path) -> None:
    words, out = tmp_path / "words.csv", tmp_path / "set"
    words.write_text("concept,word\nsea,zee\n")
    made = synthesize(words, "nl", out, ["Andrea"], takes=1)
    table = made.table.replace({"language": {"nl": "en"}})
    words.write_text("concept,word\nSEE,zie\n")
    for column, value in (("path", "WORDS/nl/{0}/nl_{0}_Andrea_0.OPUS"), ("", "nl_{0}_andrea_0")):
        changed = table.reset_index()
        changed[column or "stimulus_id"] = value.format(file_name("SEE"))
        changed.to_csv(out / "stimuli.csv", index=False)
        before = sorted(out.rglob("*"))
        with pytest.raises(ToolkitError, match="'SEE' would replace another word") as caught:
            synthesize(words, "nl", out, ["Andrea"], takes=1)
        assert "of the concept 'sea'" in str(caught.value.given)
        assert sorted(out.rglob("*")) == before


@needs_espeak
def test_nothing_is_written_where_one_word_cannot_be_said(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("concept,word\ncat,Katze\nnothing,.\n")
    with pytest.raises(ToolkitError, match="nothing to say"):
        synthesize(words, "de", tmp_path / "deutsch", ["Andrea"], takes=1)
    assert not (tmp_path / "deutsch").exists()


@needs_espeak
def test_novel_words_need_a_test_voice(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("concept,word,status\nkey,Schlüssel,novel\n")
    with pytest.raises(ToolkitError, match="novel words need a test voice"):
        synthesize(words, "de", tmp_path / "out", ["f1"])
    assert not (tmp_path / "out").exists()


@needs_espeak
def test_mini_is_what_espeak_says(tmp_path: Path) -> None:
    mini = open_set("mini")
    if espeak.version() != "1.51":
        pytest.skip("mini was spoken by espeak-ng 1.51")
    for language, word in (("en", "cow"), ("nl", "koe"), ("fr", "vache")):
        utterances = list(plan([Word("cow", "familiar", word)], language, ["m4"], takes=1))
        row = record(utterances, tmp_path)[0]
        # Another version of libopus may give other bytes, so what is compared is the sound.
        clip = decode_clip((tmp_path / row["path"]).read_bytes(), row["path"])
        built = mini.read_clip(row["stimulus_id"])
        assert clip.shape == built.shape
        assert np.corrcoef(clip, built)[0, 1] > 0.99


@needs_espeak
def test_a_word_said_by_its_phonemes_sounds_the_same() -> None:
    for word, language in (("cat", "en"), ("beer", "nl"), ("bateau", "fr")):
        spelt = speak(word, language, "Andrea", 40, 150)
        sounded = speak(f"[[{espeak.phonemes(word, language)}]]", language, "Andrea", 40, 150)
        np.testing.assert_array_equal(spelt, sounded)


@needs_espeak
def test_familiar_test_words_are_mispronounced_in_ones_own_language(tmp_path: Path) -> None:
    listed = tmp_path / "words.csv"
    listed.write_text("concept,word,status\ncat,Katze,familiar\nkey,Schlüssel,novel\n", "utf-8")
    voices = ("f1", "Andrea")
    made = synthesize(listed, "de", tmp_path / "set", voices, takes=1, mispronounce=True)
    assert made.check() == []
    words = made.select(kind="word", variant=None)
    assert set(words["concept"][words["variant"] != ""]) == {"cat"}
    assert set(words["voice"][words["variant"] != ""]) == {"Andrea"}
    changed = words[words["variant"] == "place"]
    assert changed["phonemes"].tolist() == ["t'ats@"]
    assert len(words[words["concept"] == "cat"]) == 1 + 8
    plain = synthesize(listed, "de", tmp_path / "plain", voices, takes=1)
    same = plain.table["sha256"]
    assert (made.table.loc[same.index, "sha256"] == same).all()


@needs_espeak
def test_words_that_cannot_be_mispronounced_and_unknown_languages_are_told(tmp_path: Path) -> None:
    listed = tmp_path / "words.csv"
    listed.write_text("concept,word\nelephant,Elefant\n", "utf-8")
    with pytest.raises(ToolkitError, match="None of the familiar words begins with a consonant"):
        synthesize(listed, "de", tmp_path / "set", takes=1, mispronounce=True)
    with pytest.raises(ToolkitError, match=r"espeak-ng language.*'xx'"):
        synthesize(listed, "xx", tmp_path / "set", takes=1, mispronounce=True)
    assert not (tmp_path / "set").exists()
    said = list(plan([Word("cat", "familiar", "Katze")], "de", ("f1",)))
    with pytest.raises(ToolkitError, match="no test words"):
        list(mispronounced(said))
