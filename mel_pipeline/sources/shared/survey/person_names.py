"""Whether a header asks for a person's name, in English, French, Spanish and Catalan; the name of a thing stays.

Decided by words: what "name" belongs to. Catalan and French use "nombre" for a number, Spanish for a name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

from mel_pipeline.core.normalize_text import normalize_text

_WORDS = Path(__file__).with_suffix(".yml")

_NAME = {"name", "names", "nom", "noms", "nombre", "nombres"}
_ALWAYS = {  # they mean nothing but a name
    "surname", "surnames", "firstname", "lastname", "fullname", "forename", "forenames", "nickname", "username",
    "apellido", "apellidos", "prenom", "prenoms", "cognom", "cognoms", "llinatge", "llinatges",
}  # fmt: skip
_MINE = {"your", "my", "votre", "vos", "su", "sus", "tu", "tus", "teu", "seu", "vostre", "vostres"}
_COUNTED = {  # French and Catalan: "nombre de participants" is how many
    "participants", "personnes", "persones", "repondants", "assistents", "etudiants", "estudiants", "delegues",
    "delegats", "representants", "formateurs", "formadors", "contacts", "beneficiaires", "beneficiaris", "employes",
    "participantes", "enfants", "candidats",
}  # fmt: skip
_AND = {"and", "y", "i", "et", "e"}
_CALLED = re.compile(  # "what are you called?"
    r"^(como (se llama|te llamas)( usted)?|comment (vous appelez vous|t appelles tu)"
    r"|com (et dius|es diu( voste)?|us dieu))$"
)
_CONTACT = re.compile(
    r"^((main|primary|city|project|local|your) )?(contact( (person|name|details|info|information))?|point of contact"
    r"|emergency contact( .*)?|persona de (contacto|contacte|referencia)|personne (de contact|a contacter|referente)"
    r"|contacto|contacte|datos de contacto|dades de contacte|coordonnees|vos coordonnees)$"
)
_FILLED_IN = re.compile(
    r"^((form |survey )?(completed|filled( in| out)?|submitted|answered) by"
    r"|(formulaire )?(rempli|complete|saisi) par|(rellenado|completado|cumplimentado) por|(emplenat|omplert) per"
    r"|who (filled|is filling|completed|is completing|answered) .*|who are you|quien es usted|qui etes vous)$"
)
_ALONE = {  # a column with only this header names the one who answers
    "participant", "respondent", "attendee", "interviewee", "interviewer", "enumerator", "participante", "encuestado",
    "encuestada", "repondant", "repondante", "enquestat", "enquestada", "enqueteur", "signature", "firma", "signatura",
}  # fmt: skip


@lru_cache
def _words(kind: str) -> frozenset[str]:
    """The words of one kind in all languages."""
    languages: dict[str, str] = yaml.safe_load(_WORDS.read_text("utf-8"))[kind]
    return frozenset(word for words in languages.values() for word in words.split())


def asks_for_a_name(header: str) -> bool:
    """Whether a header asks for the name of a person."""
    before: list[str] = []
    header = re.sub(r"(?i)(?<=\w)/(?=(de la|la|a|as|os|e|es|ne)\b)", " ", header)  # del/de la, alumno/a
    for part in re.split(r"[/,&+;|:\[\]]|\s[-–]\s", header):
        words = normalize_text(part).split()
        words = [re.sub(r"(?<=[a-z])\d+$", "", word) for word in words if not word.isdigit()]
        of_a_thing = bool(before) and before[-1] in _words("thing") and len(words) == 1
        if words and not of_a_thing and _is_personal(words):
            return True
        before = words or before
    return False


def _is_personal(words: list[str]) -> bool:
    text = " ".join(words)
    if _CALLED.match(text) or _FILLED_IN.match(text) or _CONTACT.match(text):
        return True
    asked = [word for word in words if word not in _words("filler")]
    if len(asked) == 1 and asked[0] in _NAME | _ALONE:
        return True
    return any(
        word in _ALWAYS or (word in _NAME and _of_a_person(words, place)) for place, word in enumerate(words)
    )


def _of_a_person(words: list[str], place: int) -> bool:
    """Whether the name at this place is a person's: by the word before it, or what it is the name of."""
    before = [word for word in words[:place] if word != "s"]
    after = words[place + 1 :]
    if (
        before
        and before[-1] in _words("person") | _MINE
        and not (after and after[0] in {"of", "de", "du", "del", "d"})
    ):
        return True
    linked = after and after[0] in _words("link")
    rest = [word for word in after if word not in _words("link") | _MINE]
    if words[place] == "nombre" and rest and rest[0] in _COUNTED and after[:1] in (["de"], ["d"], ["des"]):
        return rest[0] == "participantes" and after[0] == "de"  # Spanish: the names of those who take part
    if (
        rest
        and rest[0] in _words("person")
        and (linked or len(rest) <= 2)
        and not (before and before[-1] in _words("thing"))
    ):
        return True
    return bool(not before and after and after[0] in _AND and len(after) < 4)
