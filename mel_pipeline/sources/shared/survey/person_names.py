"""Whether a header asks for a person's name, in English, French, Spanish and Catalan; the name of a thing stays.

Decided by words: what "name" belongs to. Catalan and French use "nombre" for a number, Spanish for a name.
"""

from __future__ import annotations

import re

from mel_pipeline.core.normalize_text import normalize_text

_NAME = {"name", "names", "nom", "noms", "nombre", "nombres"}
_ALWAYS = {  # they mean nothing but a name
    "surname", "surnames", "firstname", "lastname", "fullname", "forename", "forenames", "nickname", "username",
    "apellido", "apellidos", "prenom", "prenoms", "cognom", "cognoms", "llinatge", "llinatges",
}  # fmt: skip
_MINE = {"your", "my", "votre", "vos", "su", "sus", "tu", "tus", "teu", "seu", "vostre", "vostres"}
_PERSON = set(
    # English
    "participant participants respondent respondents attendee attendees person people contact delegate"
    " representative speaker trainer facilitator moderator staff employee student focal mayor manager supervisor"
    " director officer interviewer interviewee enumerator child mother father parent beneficiary user signatory"
    " guest mentor mentee volunteer applicant candidate registrant trainee learner coordinator colleague"
    " first last full family given middle maiden preferred legal resp"
    # French
    " participante participantes repondant repondante personne personnes delegue deleguee representant"
    " representante intervenant intervenante formateur formatrice animateur animatrice employe employee etudiant"
    " etudiante agent responsable maire directeur directrice enqueteur enquetrice enquete enquetee beneficiaire"
    " enfant candidat candidate stagiaire coordinateur coordinatrice referent referente usager complet complets"
    " famille usage naissance"
    # Spanish
    " encuestado encuestada encuestador encuestadora quien asistente asistentes persona personas contacto delegado delegada"
    " ponente formador formadora facilitador facilitadora empleado empleada estudiante alcalde alcaldesa directora"
    " entrevistador entrevistadora entrevistado entrevistada beneficiario beneficiaria nino nina candidato candidata"
    " coordinador coordinadora completo completos pila usuario alumno alumna"
    # Catalan
    " assistent assistents persones contacte enquestat enquestada enquestador enquestadora"
    " entrevistat entrevistada estudiant delegat delegada alcaldessa beneficiari beneficiaria candidat candidata"
    " nen nena fonts usuari alumne alumna ponent".split()
)
_COUNTED = {  # French and Catalan: "nombre de participants" is how many
    "participants", "personnes", "persones", "repondants", "assistents", "etudiants", "estudiants", "delegues",
    "delegats", "representants", "formateurs", "formadors", "contacts", "beneficiaires", "beneficiaris", "employes",
    "participantes", "enfants", "candidats",
}  # fmt: skip
_LINKS = set("of the a an de del la les le l d du des el els los las dels en na n s".split())
_FILLERS = set(
    "optional facultatif facultative opcional please enter write type insert give state indicate provide required"
    " mandatory obligatoire obligatorio obligatori if you wish want what is s are que quel quelle est cual es quin"
    " c the le el la su introduzca escriba indique veuillez indiquer saisir ecrire s il vous plait por favor si us"
    " plau escriviu indiqueu here ici aqui q".split()
)
_THINGS = set(
    "city cities event organisation organization institution company project course session workshop programme program"
    " network country municipality region ville villes evenement organisme projet cours seance atelier reseau pays"
    " commune ciudad evento organizacion institucion empresa proyecto curso sesion taller red pais municipio ciutat"
    " esdeveniment organitzacio institucio entitat projecte curs sessio taller xarxa municipi file campaign".split()
)
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


def asks_for_a_name(header: str) -> bool:
    """Whether a header asks for the name of a person."""
    before: list[str] = []
    header = re.sub(r"(?i)(?<=\w)/(?=(de la|la|a|as|os|e|es|ne)\b)", " ", header)  # del/de la, alumno/a
    for part in re.split(r"[/,&+;|:\[\]]|\s[-–]\s", header):
        words = normalize_text(part).split()
        words = [re.sub(r"(?<=[a-z])\d+$", "", word) for word in words if not word.isdigit()]
        of_a_thing = bool(before) and before[-1] in _THINGS and len(words) == 1
        if words and not of_a_thing and _is_personal(words):
            return True
        before = words or before
    return False


def _is_personal(words: list[str]) -> bool:
    text = " ".join(words)
    if _CALLED.match(text) or _FILLED_IN.match(text) or _CONTACT.match(text):
        return True
    asked = [word for word in words if word not in _FILLERS]
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
        and before[-1] in _PERSON | _MINE
        and not (after and after[0] in {"of", "de", "du", "del", "d"})
    ):
        return True
    linked = after and after[0] in _LINKS
    rest = [word for word in after if word not in _LINKS | _MINE]
    if words[place] == "nombre" and rest and rest[0] in _COUNTED and after[:1] in (["de"], ["d"], ["des"]):
        return rest[0] == "participantes" and after[0] == "de"  # Spanish: the names of those who take part
    if rest and rest[0] in _PERSON and (linked or len(rest) <= 2) and not (before and before[-1] in _THINGS):
        return True
    return bool(not before and after and after[0] in _AND and len(after) < 4)
