"""Rows of platform exports taken for what they are: tables, charts, paid rows, ranges, dates, languages. No warehouse."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.sources.shared.platform import headers
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.platforms import CASES, Folder, figures, reasons, zipped

TABLE = CASES / "youtube_chart/Table data.csv"
CHART = CASES / "youtube_chart/Chart data.csv"
TOTALS = CASES / "youtube_chart/Totals.csv"
ZIP = CASES / "youtube_zip/Content 2026-07-01_2026-10-01 Metropolis.zip"
VIEWS = {"abcdefghijk": "1000", "lmnopqrstuv": "500"}


# YouTube: chart, table, totals, zip


@pytest.mark.fault(82)
@pytest.mark.behaviour("rows_as_meant", "youtube")
@pytest.mark.parametrize("newest", ["Table data.csv", "Chart data.csv", "Totals.csv"])
def test_the_chart_of_a_studio_export_is_no_list_of_videos_whichever_file_is_newer(
    tmp_path: Path, newest: str
) -> None:
    folder = Folder(tmp_path, "youtube")
    for path in (TABLE, CHART, TOTALS):
        folder.put(path.name, path, age=60 if path.name == newest else 600)
    batches, _ = folder.batches("content_metrics")
    assert figures(batches, "viewCount") == VIEWS
    assert reasons(batches) == []
    assert any("Days of single videos" in note for batch in batches for note in batch.notes)
    days, _ = folder.batches("daily")
    assert [row["value"] for batch in days for row in batch.frame.to_dict("records")] == ["10", "30", "7"]


@pytest.mark.slow
@pytest.mark.behaviour("rows_as_meant", "youtube")
@pytest.mark.behaviour("archives", "youtube")
def test_a_studio_export_is_read_as_the_zip_that_was_downloaded(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put(ZIP.name, ZIP)
    batches, warnings = folder.batches("content_metrics")
    assert (figures(batches, "viewCount"), reasons(batches), warnings) == (VIEWS, [], [])
    contents, _ = folder.batches("contents")
    place = str(contents[0].frame["_source_ref"].iloc[0])
    assert place == f"{ZIP.name}, Table data.csv, row 3"


def test_the_same_export_as_zip_and_unpacked_counts_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    for path in (ZIP, TABLE, CHART):
        folder.put(path.name, path)
    batches, _ = folder.batches("content_metrics")
    assert sum(len(batch.frame) for batch in batches) == 2 * 3
    assert figures(batches, "viewCount") == VIEWS


@pytest.mark.behaviour("rows_as_meant", "youtube")
def test_figures_of_a_chosen_range_are_not_those_of_an_older_video_since_publication(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    older = TABLE.read_text("utf-8-sig").replace("Jul 9, 2026", "Jun 30, 2026")
    zipped(folder.folder / ZIP.name, {"Table data.csv": older})
    os.utime(folder.folder / ZIP.name, (time.time() - 60,) * 2)
    batches, warnings = folder.batches("content_metrics", "2026-Q2")
    assert figures(batches, "viewCount") == {}  # nothing overwrites what an earlier export said
    assert "1 videos are older than the chosen range, which begins on 2026-07-01" in warnings[0]
    contents, _ = folder.batches("contents", "2026-Q2")
    assert "abcdefghijk" in set(contents[0].frame["content_id"])


def test_of_two_ranges_the_one_that_ends_later_counts_whichever_was_downloaded_later(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    table = TABLE.read_text("utf-8-sig")
    late, early = "Content 2026-07-01_2026-10-01 M.zip", "Content 2026-07-01_2026-08-15 M.zip"
    zipped(folder.folder / late, {"Table data.csv": table})
    zipped(folder.folder / early, {"Table data.csv": table.replace(",1000,", ",40,")})
    os.utime(folder.folder / late, (time.time() - 600,) * 2)
    os.utime(folder.folder / early, (time.time() - 60,) * 2)
    assert figures(folder.batches("content_metrics")[0], "viewCount")["abcdefghijk"] == "1000"


def test_a_table_that_does_not_say_its_range_is_read_with_a_warning(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put("Table data.csv", TABLE)
    _, warnings = folder.batches("content_metrics")
    assert len(warnings) == 1 and "does not say which period" in warnings[0]


def test_days_of_a_channel_by_country_are_parts_of_it_and_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put(
        "Chart data.csv", "Date,Geography,Views\n2026-07-09,ES,10\n2026-07-09,FR,30\n2026-07-10,ES,7\n"
    )
    batches, _ = folder.batches("contents")
    assert "parts of the channel's figures" in reasons(batches)[0]
    assert not any(len(batch.frame) for batch in folder.batches("daily")[0])


@pytest.mark.parametrize(
    ("days", "are_days"),
    [(["2026-07-06", "2026-07-13", "2026-07-20"], False), (["2026-07-01", "2026-08-01", "2026-09-01"], False),
     (["2024-01-01", "2025-01-01", "2026-01-01"], False), (["2026-07-06", "2026-07-13"], True),
     (["2026-07-06", "2026-07-07", "2026-07-13"], True), (["2026-07-01", "2026-07-02", "2026-08-01"], True)],
)  # fmt: skip
@pytest.mark.behaviour("rows_as_meant", "youtube")
@pytest.mark.fault(82)
def test_weeks_and_months_of_a_channel_are_no_days_and_refused(
    tmp_path: Path, days: list[str], are_days: bool
) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put("Totals.csv", "Date,Views\n" + "".join(f"{day},10\n" for day in days) + "Total,30\n")
    stored = [
        row["period_start"] for batch in folder.batches("daily")[0] for row in batch.frame.to_dict("records")
    ]
    assert stored == (days if are_days else [])
    told = reasons(folder.batches("contents")[0])
    assert are_days or "choose 'Daily'" in told[0]


@pytest.mark.parametrize(
    ("video", "is_whole"),
    [("abcdefghijk", True), ("-bcdefghijk", True), ("_bcdefghij-", True), ("12345678901", True), ("#NAME?", False), ("", False),
     ("1.23E+10", False), ("=-bcdefghijk", False), ("-5", False)],
)  # fmt: skip
@pytest.mark.behaviour("rows_as_meant", "youtube")
@pytest.mark.fault(104)
def test_an_id_that_a_spreadsheet_took_for_a_formula_is_no_video(
    tmp_path: Path, video: str, is_whole: bool
) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put(
        "Table data.csv", f'Content,Video title,Video publish time,Views\n{video},A,"Jul 9, 2026",15\n'
    )
    batches, _ = folder.batches("content_metrics")
    assert figures(batches, "viewCount") == ({video: "15"} if is_whole else {})
    assert any("a spreadsheet changed it" in told for told in reasons(batches)) is not is_whole


@pytest.mark.parametrize(
    ("kind", "is_organic"),
    [("Organic", True), ("Organique", True), ("General", True), ("", True), ("Publicació orgànica", True), ("Boosted", False),
     ("Elevated", False), ("Reposted by an employee", False)],
)  # fmt: skip
@pytest.mark.behaviour("rows_as_meant", "linkedin")
@pytest.mark.fault(82)
def test_a_post_that_is_neither_organic_nor_sponsored_is_quarantined(
    tmp_path: Path, kind: str, is_organic: bool
) -> None:
    folder = Folder(tmp_path, "linkedin")
    folder.put(
        "content.csv",
        "Post title,Post link,Post type,Created date,Impressions\n"
        f"A call,https://www.linkedin.com/feed/update/urn:li:share:7355000000000000001,{kind},07/13/2026,900\n",
    )
    batches, _ = folder.batches("content_metrics")
    assert bool(figures(batches, "impressionCount")) is is_organic
    assert bool(reasons(batches)) is not is_organic


@pytest.mark.behaviour("rows_as_meant", "youtube", "x")
def test_a_video_that_occurs_twice_with_other_figures_is_quarantined_and_the_others_load(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path, "youtube")
    line = 'abcdefghijk,"World Congress, day one","Jul 9, 2026",3600,1,77,1,1,1,1\n'
    folder.put("Table data.csv", TABLE.read_text("utf-8-sig") + line)
    batches, _ = folder.batches("content_metrics")
    assert figures(batches, "viewCount") == {"lmnopqrstuv": "500"}
    assert len(reasons(batches)) == 2 and "occurs 2 times in the file" in reasons(batches)[0]


# LinkedIn: organic and sponsored


@pytest.mark.slow
@pytest.mark.behaviour("rows_as_meant", "linkedin")
def test_the_sponsored_row_of_a_post_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "linkedin")
    folder.put("content.xlsx", CASES / "linkedin_sponsored/content.xlsx")
    batches, _ = folder.batches("content_metrics")
    assert figures(batches, "impressionCount") == {"7350000000000000001": "900"}
    assert reasons(batches) == []
    assert any("1 rows of sponsored posts" in note for batch in batches for note in batch.notes)
    days, _ = folder.batches("daily")
    assert figures(days, "impressionCount") == {"all": "130"}  # the organic ones, and 500 a day were paid


def linkedin_posts(
    header: Sequence[object], rows: Sequence[Sequence[object]], *, days: Sequence[Sequence[object]] = ()
) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["A description of the sheet"])
    for row in (header, *rows):
        sheet.append(row)
    if days:
        other = book.create_sheet("Metrics")
        for row in (["A description"], *days):
            other.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


URL = "https://www.linkedin.com/feed/update/urn:li:activity:735000000000000000"
POSTS = {
    "en": ["Post title", "Post link", "Post type", "Campaign name", "Posted by", "Created date", "Impressions", "Clicks", "Likes", "Comments", "Reposts"],
    "fr": ["Titre du post", "Lien du post", "Type de post", "Nom de la campagne", "Publié par", "Date de création", "Impressions", "Clics", "J’aime", "Commentaires", "Republications"],
    "es": ["Título de la publicación", "Enlace de la publicación", "Tipo de publicación", "Nombre de la campaña", "Anunciado por", "Fecha de creación", "Impresiones", "Clics", "Recomendaciones", "Comentarios", "Veces compartido"],
    "ca": ["Títol de la publicació", "Enllaç de la publicació", "Tipus de publicació", "Nom de la campanya", "Publicat per", "Data de creació", "Impressions", "Clics", "Recomanacions", "Comentaris", "Republicacions"],
}  # fmt: skip
KINDS = {"en": ("Organic", "Sponsored"), "fr": ("Organique", "Sponsorisé"), "es": ("Orgánica", "Patrocinada"), "ca": ("Orgànica", "Patrocinada")}  # fmt: skip
THOUSAND = {"en": "1,900", "fr": "1 900", "es": "1.900", "ca": "1.900"}


@pytest.mark.slow
@pytest.mark.behaviour("four_languages", "linkedin")
@pytest.mark.parametrize("language", list(POSTS))
@pytest.mark.sweep("fr")
def test_organic_posts_are_told_from_sponsored_ones_in_every_language(tmp_path: Path, language: str) -> None:
    organic, sponsored = KINDS[language]
    row = ["Marguerite Sample", "07/14/2026"]
    rows = [
        ["A call", f"{URL}1", organic, None, *row, THOUSAND[language], 12, 7, 1, 2],
        ["A call", f"{URL}1", sponsored, "Reach", *row, "25000", 12, 7, 1, 2],
        ["Paid only", f"{URL}2", sponsored, "Reach", *row, "800", 1, 1, 1, 1],
    ]
    folder = Folder(tmp_path, "linkedin")
    folder.put("content.xlsx", linkedin_posts(POSTS[language], rows))
    batches, _ = folder.batches("content_metrics")
    assert reasons(batches) == []
    assert figures(batches, "impressionCount") == {"7350000000000000001": "1900"}
    assert figures(batches, "likeCount") == {"7350000000000000001": "7"}
    assert "Marguerite" not in folder.batches("contents")[0][0].frame.to_csv()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "header"),
    [
        ("fr", ["Date", "Impressions (organiques)", "Impressions (sponsorisées)", "Impressions uniques (organiques)", "Clics (organiques)", "Réactions (organiques)"]),
        ("es", ["Fecha", "Impresiones (orgánicas)", "Impresiones (patrocinadas)", "Impresiones únicas (orgánicas)", "Clics (orgánicos)", "Reacciones (generales)"]),
        ("ca", ["Data", "Impressions (orgàniques)", "Impressions (patrocinades)", "Impressions úniques (orgàniques)", "Clics (orgànics)", "Reaccions (orgàniques)"]),
    ],
)  # fmt: skip
@pytest.mark.behaviour("four_languages", "linkedin")
def test_days_of_a_page_are_read_in_every_language_and_only_organic_figures(
    tmp_path: Path, language: str, header: list[str]
) -> None:
    folder = Folder(tmp_path, "linkedin")
    days = [header, ["07/13/2026", 420, 9000, 231, 12, 8], ["07/14/2026", 1, 0, 1, 0, 0]]
    folder.put("content.xlsx", linkedin_posts(POSTS[language], [], days=days))
    frame = folder.batches("daily")[0][0].frame
    first = frame[frame["period_start"] == "2026-07-13"].set_index("metric")["value"].to_dict()
    assert first == {
        "impressionCount": "420", "uniqueImpressionsCount": "231", "clickCount": "12", "likeCount": "8",
    }  # fmt: skip


@pytest.mark.slow
def test_days_that_follow_one_another_decide_the_order_of_day_and_month(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "linkedin")
    header = ["Date", "Impressions (organic)", "Clicks (organic)"]
    days = [header, *([f"0{month}/0{day}/2026", 1, 1] for month, day in ((7, 1), (7, 2), (7, 3)))]
    folder.put("content.xlsx", linkedin_posts(POSTS["en"], [], days=days))
    frame = folder.batches("daily")[0][0].frame
    assert sorted(set(frame["period_start"])) == ["2026-07-01", "2026-07-02", "2026-07-03"]


@pytest.mark.slow
@pytest.mark.behaviour("date_orders", "linkedin")
def test_a_linkedin_export_whose_dates_decide_nothing_is_refused_and_a_setting_decides(
    tmp_path: Path,
) -> None:
    row = ["A call", f"{URL}1", "Organic", None, "", "07/09/2026", 900, 1, 1, 1, 1]
    content = linkedin_posts(POSTS["en"], [row])
    folder = Folder(tmp_path, "linkedin")
    folder.put("content.xlsx", content)
    (reason,) = reasons(folder.batches("contents")[0])
    assert "can be read in two ways" in reason and "MEL_LINKEDIN_EXPORT_DATE_ORDER" in reason
    folder.settings = folder.settings.with_source("linkedin", export_date_order="month_first")
    assert folder.batches("contents")[0][0].frame["published_at"].iloc[0].startswith("2026-07-09")


# Meta: dates and languages

META = {
    "en": "Post ID,Account ID,Account username,Account name,Description,Duration (sec),Publish time,Permalink,Post type,Data comment,Date,Views,Reach,Likes",
    "fr": "Identifiant de publication,Identifiant du compte,Nom d’utilisateur du compte,Nom du compte,Description,Durée (s),Heure de publication,Permalien,Type de publication,Commentaire sur les données,Date,Vues,Couverture,J’aime",
    "es": "Identificador de la publicación,Identificador de la cuenta,Nombre de usuario de la cuenta,Nombre de la cuenta,Descripción,Duración (segundos),Hora de publicación,Enlace permanente,Tipo de publicación,Comentario de datos,Fecha,Visualizaciones,Alcance,Me gusta",
    "ca": "Identificador de la publicació,Identificador del compte,Nom d’usuari del compte,Nom del compte,Descripció,Durada (s),Hora de publicació,Enllaç permanent,Tipus de publicació,Comentari de dades,Data,Visualitzacions,Abast,M’agrada",
}  # fmt: skip


def meta_posts(language: str, *dates: str, lifetime: str = "Lifetime", views: str = "160") -> str:
    rows = [
        f'1801000000000000{number},17841400000000001,metropolis_org,Metropolis,"Caption",0,{text},'
        f'https://www.instagram.com/p/x/,IG image,,{lifetime},"{views}",45,5'
        for number, text in enumerate(dates)
    ]
    return "\n".join((META[language], *rows)) + "\n"


@pytest.mark.behaviour("date_orders", "instagram", "facebook")
def test_an_export_whose_dates_decide_nothing_is_refused_with_both_readings(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "instagram")
    folder.put("posts.csv", CASES / "meta_ambiguous_dates/posts.csv")
    batches, _ = folder.batches("contents")
    assert not any(len(batch.frame) for batch in batches)
    (reason,) = reasons(batches)
    assert "1/9/2026 is 2026-09-01 with the day first, or 2026-01-09 with the month first" in reason
    assert "MEL_INSTAGRAM_EXPORT_DATE_ORDER" in reason


@pytest.mark.behaviour("date_orders", "instagram", "facebook")
def test_a_setting_decides_the_order_of_day_and_month(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "instagram", export_date_order="day_first", export_time_zone="Europe/Madrid")
    folder.put("posts.csv", CASES / "meta_ambiguous_dates/posts.csv")
    published = folder.batches("contents")[0][0].frame["published_at"]
    assert [text[:10] for text in published] == ["2026-09-01", "2026-09-12", "2026-09-05"]


@pytest.mark.behaviour("date_orders", "instagram", "facebook")
def test_one_row_decides_the_order_against_the_setting(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "instagram", export_date_order="month_first", export_time_zone="Europe/Madrid")
    folder.put("posts.csv", meta_posts("en", "01/09/2026 06:08", "25/09/2026 06:08"))
    published = folder.batches("contents")[0][0].frame["published_at"]
    assert [text[:10] for text in published] == ["2026-09-01", "2026-09-25"]


@pytest.mark.behaviour("date_orders", "instagram")
def test_dates_after_today_are_a_warning_with_the_place(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "instagram", export_date_order="month_first", export_time_zone="Europe/Madrid")
    folder.put("posts.csv", CASES / "meta_ambiguous_dates/posts.csv")
    _, warnings = folder.batches("contents")
    assert warnings == [
        "posts.csv, row 3: the date 2026-12-09 is after today, 2026-11-20; 1 of 3 dates of the file are. Check that"
        " day and month are not swapped, and export again."
    ]


@pytest.mark.slow
@pytest.mark.behaviour("date_orders", "linkedin")
def test_dates_that_a_spreadsheet_converted_in_part_are_refused(tmp_path: Path) -> None:
    row = ["A call", f"{URL}1", "Organic", None, ""]
    rows = [[*row, datetime(2026, 9, 7), 900, 1, 1, 1, 1], [*row, "25/09/2026", 900, 1, 1, 1, 1]]
    folder = Folder(tmp_path, "linkedin")
    folder.put("content.xlsx", linkedin_posts(POSTS["en"], rows))
    assert "Excel converted those it could" in reasons(folder.batches("contents")[0])[0]


def test_an_order_that_is_none_is_named_with_its_setting(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "instagram", export_date_order="european")
    with pytest.raises(SettingsError, match="MEL_INSTAGRAM_EXPORT_DATE_ORDER is 'european'"):
        folder.open()


@pytest.mark.behaviour("four_languages", "instagram", "facebook")
@pytest.mark.parametrize(
    ("language", "lifetime", "views"),
    [
        ("en", "Lifetime", "15,000"),
        ("fr", "Total", "15 000"),
        ("es", "Total", "15.000"),
        ("ca", "Total", "15.000"),
    ],
)
def test_a_meta_export_is_read_in_every_language_with_its_thousands(
    tmp_path: Path, language: str, lifetime: str, views: str
) -> None:
    folder = Folder(tmp_path, "instagram")
    folder.put("posts.csv", meta_posts(language, "09/25/2026 06:08", lifetime=lifetime, views=views))
    batches, _ = folder.batches("content_metrics")
    assert reasons(batches) == []
    assert figures(batches, "views") == {"18010000000000000": "15000"}
    assert figures(batches, "reach") == {"18010000000000000": "45"}
    assert folder.batches("accounts")[0][0].frame["name"].tolist() == ["metropolis_org"]


@pytest.mark.parametrize(
    ("language", "views"),
    [("en", "15.000"), ("en", "15 000"), ("fr", "15.000"), ("fr", "15,5"), ("es", "15,000"), ("es", "1,5 mil"), ("es", "1.5000")],
)  # fmt: skip
def test_a_number_as_another_language_writes_it_is_quarantined_and_never_guessed(
    tmp_path: Path, language: str, views: str
) -> None:
    folder = Folder(tmp_path, "instagram")
    folder.put("posts.csv", meta_posts(language, "09/25/2026 06:08", views=views))
    batches, _ = folder.batches("content_metrics")
    assert figures(batches, "views") == {} and figures(batches, "reach") == {"18010000000000000": "45"}
    assert "views is not a whole number" in reasons(batches)[0]


@pytest.mark.behaviour("four_languages", "facebook")
def test_a_spanish_export_of_a_page_with_viewers_in_place_of_reach_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "facebook")
    folder.put(
        "posts.csv",
        "Identificador de la publicación,Identificador de la página,Nombre de la página,Título,Descripción,Hora de publicación,"
        "Enlace permanente,Tipo de publicación,Fecha,Visualizaciones,Espectadores,Total de clics\n"
        "122001,112000000000001,Metropolis,Hola,,09/25/2026 06:08,https://facebook.com/1,Fotos,Total,1.500,980,7\n",
    )
    batches, _ = folder.batches("content_metrics")
    key = "112000000000001_122001"
    assert figures(batches, "post_media_view") == {key: "1500"}
    assert figures(batches, "post_total_media_view_unique") == {key: "980"}
    assert figures(batches, "post_clicks") == {key: "7"}


# YouTube and X in the languages of the office

STUDIO = {
    "fr": 'Contenu,Titre de la vidéo,Heure de publication de la vidéo,Durée,Vues engagées,Vues,Mentions « J’aime »\nTotal,,,,"28 000","1 012 300","140"\nsmpl1,Un débat,20 sept. 2026,751,"7 646","1 012 300","40"\n',
    "es": 'Contenido,Título del vídeo,Hora de publicación del vídeo,Duración,Visualizaciones interesadas,Visualizaciones,Me gusta\nTotal,,,,1,1.012.300,1\nsmpl1,Un debate,"20 sept 2026",751,1,1.012.300,40\n',
    "ca": 'Contingut,Títol del vídeo,Hora de publicació del vídeo,Durada,Visualitzacions amb interacció,Visualitzacions,M’agrada\nTotal,,,,1,1.012.300,1\nsmpl1,Un debat,20 de set. 2026,751,1,1.012.300,40\n',
    "en": 'Content,Video title,Video publish time,Duration,Engaged views,Views,Likes\nTotal,,,,1,"1,012,300",1\nsmpl1,A talk,"Sep 20, 2026",751,1,"1,012,300",40\n',
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.behaviour("four_languages", "youtube")
@pytest.mark.parametrize("language", list(STUDIO))
def test_a_studio_export_is_read_in_every_language(tmp_path: Path, language: str) -> None:
    folder = Folder(tmp_path, "youtube")
    names = {"fr": "Données du tableau.csv", "es": "Datos de la tabla.csv", "ca": "Dades de la taula.csv"}
    name = names.get(language, "Table data.csv")
    zipped(folder.folder / "Contenu 2026-07-01_2026-10-01 M.zip", {name: STUDIO[language]})
    os.utime(folder.folder / "Contenu 2026-07-01_2026-10-01 M.zip", (time.time() - 60,) * 2)
    batches, warnings = folder.batches("content_metrics")
    assert (reasons(batches), warnings) == ([], [])
    assert figures(batches, "viewCount") == {"smpl1": "1012300"}
    assert figures(batches, "likeCount") == {"smpl1": "40"}
    assert folder.batches("contents")[0][0].frame["published_at"].iloc[0].startswith("2026-09-20")


X_POST = "https://x.com/metropolis_org/status/1861000000000000001"
X_FILES = {
    "en": f'Post id,Date,Post text,Post Link,Impressions,Likes,Replies,Reposts\n1861000000000000001,"Sun, Sep 20, 2026",Hello,{X_POST},1500,7,3,2\n',
    "es": f'ID del post,Fecha,Texto del post,Postear enlace,Impresiones,Me gusta,Respuestas,Reposts\n1861000000000000001,"dom, 20 sept 2026",Hola,{X_POST},1500,7,3,2\n',
    "fr": f'Identifiant du Tweet,Permalien du Tweet,Texte du Tweet,heure,impressions,J’aime,réponses,Retweets\n1861000000000000001,{X_POST},Bonjour,2026-09-20 09:05 +0000,1500,7,3,2\n',
    "ca": f'ID de la publicació,Data,Text de la publicació,Enllaç de la publicació,Impressions,M’agrada,Respostes,Republicacions\n1861000000000000001,"dg., 20 de set. 2026",Hola,{X_POST},1500,7,3,2\n',
}  # fmt: skip


@pytest.mark.behaviour("four_languages", "x")
@pytest.mark.parametrize("language", list(X_FILES))
def test_an_x_export_is_read_in_every_language(tmp_path: Path, language: str) -> None:
    folder = Folder(tmp_path, "x")
    folder.put("content.csv", X_FILES[language])
    batches, _ = folder.batches("content_metrics")
    assert reasons(batches) == []
    assert [figures(batches, name) for name in ("impression_count", "like_count", "reply_count", "retweet_count")] == [
        {"1861000000000000001": value} for value in ("1500", "7", "3", "2")
    ]  # fmt: skip
    assert set(batches[0].frame["period_start"]) == {"2026-09-20"}


def test_a_header_in_a_language_that_is_not_known_is_refused_and_quoted(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "youtube")
    folder.put(
        "Tabelle.csv", "Inhalte,Videotitel,Veröffentlichungszeitpunkt,Aufrufe\nsmpl1,Rede,20. Sept. 2026,12\n"
    )
    (reason,) = reasons(folder.batches("contents")[0])
    assert "in English, French, Spanish or Catalan. The first row reads: Inhalte, Videotitel" in reason


# Folders and archives


@pytest.mark.behaviour("archives", "youtube", "linkedin", "x", "instagram", "facebook")
def test_files_and_folders_that_are_not_read_are_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "x")
    folder.put("content.csv", X_FILES["en"])
    folder.put("older.ods", b"PK\x03\x04")
    (folder.folder / "2025 exports").mkdir()
    _, warnings = folder.batches("contents")
    assert len(warnings) == 1 and "2025 exports, older.ods" in warnings[0]


def test_an_export_of_a_handle_asks_for_the_number_of_the_account(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "x", user_ids="")
    folder.put("content.csv", X_FILES["en"])
    _, warnings = folder.batches("contents")
    assert "Set MEL_X_USER_IDS" in warnings[0]


@pytest.mark.deep
@settings(max_examples=examples(12, 300), deadline=None)
@given(
    number=st.integers(0, 10**9),
    language=st.sampled_from(["en", "fr", "es", "ca"]),
    text=st.text("0123456789.,  K%-", max_size=12),
)
def test_a_written_number_reads_as_itself_and_no_other_text_as_a_number(
    number: int, language: str, text: str
) -> None:
    mark = {"en": ",", "fr": "\u202f", "es": ".", "ca": "."}[language]
    assert headers.whole_number_of(f"{number:,}".replace(",", mark), language) == str(number)  # type: ignore[arg-type]
    read = headers.whole_number_of(text, language)  # type: ignore[arg-type]
    assert read is None or (read == "".join(filter(str.isdigit, text)) and not set(text) & set("K%-"))


@pytest.mark.parametrize("listed", ["shared/meta", "linkedin", "youtube", "x"])
def test_every_column_has_a_name_in_every_language_and_no_name_means_two_columns(listed: str) -> None:
    path = Path(headers.__file__).parents[2] / listed / "columns.yml"
    headers.column_names(path)  # refuses a name of two columns
    languages = {name: set(words) - {"en"} for name, words in yaml.safe_load(path.read_text("utf-8")).items()}
    assert all(found == {"fr", "es", "ca"} for found in languages.values()), languages
