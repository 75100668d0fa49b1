"""Headers that ask for a person's name are left out in four languages; the names of things stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.sources.shared.survey.personal import is_personal_header
from mel_pipeline.sources.survey_files.client import Rules
from mel_pipeline_tests.survey_cases import dropped, read

PERSONAL = """
Name
Names
Name (optional)
Name1
1. Name
Your name
Your full name (optional)
What is your name?
What's your name?
Please enter your first name
First name
Last Name
Surname
Full name
Given name(s)
Participant's name
Participant’s full name
Participant name
participant_name
respondent_name
Name of participant
Name of the respondent
Name of the person completing this form
Name and surname
Name & organisation
Name / City
Name, job title
Attendee name
Delegate name
Contact person
City contact person
Contact person's name
Contact name
Contact
Contact details
Name of contact person and organisation
Name of your city's focal point and their full name
Trainer name
Interviewer name
Enumerator
Please tell us about yourself [Name]
Contact details [Name]
Registration - First name
Participant: name
Form completed by
Filled in by
Who is completing this survey?
Preferred name
Nickname
Username
Signature
Nom
Nom (facultatif)
Nom et prénom
Nom, prénom
Prénom(s)
Votre nom
Votre nom complet
Quel est votre nom ?
Nom du participant
Nom de la participante
Nom de l'enquêteur
Nom de la personne de contact
Nom du répondant
Nom du formateur
Nom de famille
nom_participant
Comment vous appelez-vous ?
Personne de contact
Personne à contacter
Vos coordonnées
Rempli par
Nombre
Nombre (opcional)
Nombre y apellidos
Nombre y apellido
Nombre completo
Nombres y Apellidos
Su nombre
Tu nombre
¿Cuál es su nombre?
¿Cómo se llama?
¿Cómo te llamas?
Nombre del participante
Nombre de la participante
Nombre de la persona participante
Nombre de participante
Nombre del/de la participante
Nombre de la persona de contacto
Nombre del encuestador
Nombre de quien responde
Apellido(s)
Primer apellido
Persona de contacto
Datos de contacto
Rellenado por
Nom i cognoms
Cognoms
El teu nom
El vostre nom
Quin és el teu nom?
Com et dius?
Nom del participant
Nom de la persona de contacte
Nom de l'assistent
Nom complet
Persona de contacte
Dades de contacte
Emplenat per
""".strip().splitlines()

OF_THINGS = """
Event name
Name of the event
City name
Name of the city
Name of your city
Your city's name
Your organisation's name
Organisation name
Name of your organisation or institution
Name (of the city)
City: name
Company name
Project name
Session name
Course name
File name
Training name
Name of the network you belong to
Name one thing you learned
Name three challenges of your city
What name would you give the session?
How many participants came?
Number of participants
Would you recommend us to other participants?
Did the participants contact you?
Contact with other cities
May we contact you?
How did the first session go?
Was the last day useful?
Quality of the facilitator
How satisfied were you with the trainer?
Full participation
Nom de la ville
Nom de votre ville
Nom de l'événement
Nom de l'organisation
Nom de votre collectivité
Nombre de participants
Nombre de personnes formées
Nombre d'employés
Nombre de jours
Nombre total de participants
Contact avec d'autres villes
Le formateur était-il clair ?
Nombre de la ciudad
Nombre del evento
Nombre de la organización
Nombre de su municipio
Nombre de la actividad
Nombre tres retos de su ciudad
¿Cómo se llama su ciudad?
Número de participantes
Contacto con otras ciudades
Nom de la ciutat
Nom de l'entitat
Nom de l'esdeveniment
Nom del municipi
Nombre d'assistents
Nombre de persones
Overall satisfaction
Denomination of the project
Renombre
Nominal value
""".strip().splitlines()


@pytest.mark.behaviour("personal_data", "*")
@pytest.mark.parametrize("header", PERSONAL)
def test_a_header_that_asks_for_a_persons_name_is_personal(header: str) -> None:
    assert is_personal_header(header)
    assert is_personal_header(header.upper())


@pytest.mark.parametrize("header", OF_THINGS)
@pytest.mark.behaviour("names", "*")
def test_the_name_of_a_thing_is_not_a_persons(header: str) -> None:
    assert not is_personal_header(header)
    assert not is_personal_header(header.upper())


def test_names_under_any_header_of_the_case_are_left_out(tmp_path: Path) -> None:
    dropped(tmp_path, "privacy_names_in_other_headers.csv")
    frame, refused, _ = read(tmp_path, Rules())
    assert refused == {}
    assert list(frame["overall_satisfaction"]) == ["Very satisfied", "Satisfied"]
    for word in ("Prueba", "Essai", "Test", "Person"):
        assert word not in frame.to_csv()


@pytest.mark.parametrize(
    "text",
    [
        "#,Nom i cognoms,Overall satisfaction,Start Date (UTC),Submit Date (UTC),Network ID\n"
        "a1,Xxx Yyy,5,2024-11-05 09:00:00,2024-11-05 09:01:00,n1\n",
        "ID,Start time,Completion time,Email,Name,Name1,Overall satisfaction\n"
        "1,2024-11-05 09:00,2024-11-05 09:01,anonymous,,Xxx Yyy,5\n",
        "Respondent ID,Collector ID,Start Date,End Date,Tell us about you,,Overall satisfaction\n"
        ",,,,Name,City/Town,Response\n7,42,2024-11-05 09:00,2024-11-05 09:01,Xxx Yyy,Quito,5\n",
        '"id. Response ID","submitdate. Date","lastpage. P","startlanguage. L","Q1. Nom de la personne","Q2. Satisfaction générale"\n'
        "1,2024-11-05 09:00:00,1,fr,Xxx Yyy,5\n",
    ],
    ids=["typeform", "microsoft_forms", "surveymonkey", "limesurvey"],
)
@pytest.mark.behaviour("names", "typeform", "microsoft_forms", "surveymonkey", "limesurvey")
def test_a_name_is_left_out_of_an_export_of_other_tools(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    frame, refused, _ = read(tmp_path)
    assert (refused, list(frame["overall_satisfaction"])) == ({}, ["5"])
    assert "Xxx" not in frame.to_csv()
