"""The title in French, Spanish and Catalan: an article and a verb that agree with the name of the indicator."""

from __future__ import annotations

import pytest

from mel_pipeline.core.languages import BASE
from mel_pipeline.core.settings import load_settings
from mel_pipeline.reporting.text.languages import languages
from mel_pipeline.reporting.text.texts import PLURAL_ARTICLES, load_texts
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline_tests.golden.sample_edition import REPORTS

OTHERS = [language for language in languages(REPORTS) if language != BASE]


@pytest.mark.parametrize("language", OTHERS)
def test_every_indicator_of_the_package_can_be_the_subject_of_a_sentence(language: str) -> None:
    texts = load_texts(REPORTS, language)
    names = [one.name.by_language.get(language, "") for one in catalogue_of(load_settings()).indicators]
    unknown = [name for name in names if name and texts.as_subject(name) is None]
    assert len(names) > 40
    assert unknown == []  # put the first word of the name into `heads` of the locale file


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [
        ("es", "Visualizaciones en redes sociales", "las visualizaciones en redes sociales suben a 9"),
        ("es", "Tasa de apertura del boletín", "la tasa de apertura del boletín sube a 9"),
        (
            "es",
            "Fondo internacional: recursos movilizados",
            "los recursos movilizados (Fondo internacional) suben a 9",
        ),
        ("fr", "Taux de clic de la newsletter", "le taux de clic de la newsletter passe à 9"),
        (
            "fr",
            "Fonds international : ressources mobilisées",
            "les ressources mobilisées (Fonds international) passent à 9",
        ),
        ("fr", "Solutions Labs réalisés", "les Solutions Labs réalisés passent à 9"),
        ("ca", "Abast a les xarxes socials", "l’abast a les xarxes socials puja a 9"),
        ("ca", "Noves aliances", "les noves aliances pugen a 9"),
    ],
)
def test_article_and_verb_agree_with_the_name(language: str, name: str, said: str) -> None:
    texts = load_texts(REPORTS, language)
    subject = texts.as_subject(name)
    assert subject is not None
    assert texts.plural("news.sentence.rose", subject[1], name=subject[0], value="9") == said


@pytest.mark.parametrize("language", OTHERS)
def test_articles_are_those_of_the_language_and_one_means_one(language: str) -> None:
    entries = load_texts(REPORTS, language).entries
    articles = {str(value) for key, value in entries.items() if key.startswith("heads.")}
    known = {
        "fr": {"le", "la", "l’", "les"},
        "es": {"el", "la", "los", "las"},
        "ca": {"el", "la", "l’", "els", "les"},
    }
    assert articles <= known[language]
    assert articles & PLURAL_ARTICLES


def test_a_name_whose_first_word_is_unknown_is_no_subject() -> None:
    assert load_texts(REPORTS, "es").as_subject("Quokkas contados") is None
    assert load_texts(REPORTS, BASE).as_subject("Member cities") is None
