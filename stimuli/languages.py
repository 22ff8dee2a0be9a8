"""Names of languages."""

LANGUAGES = {
    "ar": "Arabic", "ca": "Catalan", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "eu": "Basque", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lb": "Luxembourgish", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish",
    "uk": "Ukrainian", "zh": "Chinese", "zh-CN": "Chinese (simplified)",
    "zh-TW": "Chinese (traditional)",
}  # fmt: skip
"""Names by codes (ISO 639-1, with regions)."""
