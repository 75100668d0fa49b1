"""Texts the load draws from: labels of the common scale, comments in eight languages, networks with their metrics."""

from mel_pipeline.core.settings import PROJECT

CITIES = PROJECT / "mel_pipeline" / "sandbox" / "organisation" / "member_cities.csv"

_ENGLISH = {
    "5": "Very satisfied",
    "4": "Satisfied",
    "3": "Neither satisfied nor dissatisfied",
    "2": "Dissatisfied",
    "1": "Very dissatisfied",
    "0": "Not applicable",
}
LABELS = {
    "en": _ENGLISH,
    "es": {
        "5": "Muy satisfecho/a",
        "4": "Satisfecho/a",
        "3": "Ni satisfecho/a ni insatisfecho/a",
        "2": "Insatisfecho/a",
        "1": "Muy insatisfecho/a",
        "0": "Sin opinión",
    },
    "fr": {
        "5": "Très satisfait·e",
        "4": "Satisfait·e",
        "3": "Neutre",
        "2": "Insatisfait·e",
        "1": "Très insatisfait·e",
        "0": "Sans objet",
    },
    **dict.fromkeys(("ar", "fa", "ko", "pt", "zh"), _ENGLISH),
}
GENDERS = {
    "en": ["Woman", "Man", "Non-binary", "Prefer not to say"],
    "es": ["Mujer", "Hombre", "No binarie", "Prefiero no responder"],
    "fr": ["Femme", "Homme", "Non binaire", "Préfère ne pas répondre"],
    **{
        language: ["Female", "Male", "Self-described", "Prefer not to say"]
        for language in ("ar", "fa", "ko", "pt", "zh")
    },
}
COMMENTS = {
    "en": [
        "More time for exchange between cities, please.",
        "The room was too small for us 🙂",
        "Clear, useful, on time.",
    ],
    "es": [
        "Más tiempo para el intercambio, ¡gracias!",
        "La sesión sobre el agua fue lo mejor.",
        "Faltó interpretación en la tarde.",
    ],
    "fr": [
        "Très bonne séance, l’après-midi fut un peu long.",
        "À refaire à Montréal !",
        "Les documents sont arrivés trop tard.",
    ],
    "ar": ["جلسة مفيدة جدا، شكرا لكم", "نحتاج إلى وقت أطول للنقاش"],
    "fa": ["جلسهٔ بسیار خوبی بود", "زمان بیشتری لازم است"],
    "ko": ["도시 간 교류가 좋았습니다", "통역이 더 필요합니다"],
    "pt": ["Ótima organização, voltarei.", "Faltou tempo para as perguntas."],
    "zh": ["会议很有收获，谢谢！", "希望有更多时间讨论"],
}
# kind of content, figures of a post since its publication, daily figures of an account; likeliest network first
NETWORKS = {
    "instagram": ("REELS", ["views", "reach"], ["reach", "follower_count"]),
    "linkedin": (
        "post",
        ["impressionCount", "uniqueImpressionsCount", "likeCount", "shareCount"],
        ["impressionCount"],
    ),
    "facebook": (
        "post",
        ["post_media_view", "post_total_media_view_unique", "post_clicks"],
        ["page_media_view", "page_post_engagements"],
    ),
    "x": (
        "post",
        ["impression_count", "like_count", "reply_count", "retweet_count", "quote_count"],
        ["impression_count"],
    ),
    "youtube": ("video", ["viewCount", "likeCount", "commentCount"], ["views", "likes"]),
}
