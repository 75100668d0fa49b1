"""The reading site from frames: what it shows, what it never shows, and which files it touches."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import cache
from mel_pipeline.reporting.site import build_site
from mel_pipeline.reporting.site.available_editions import available_editions
from mel_pipeline.reporting.site.cities import NO_RECORD, WITHHELD, read_cities, regional_medians
from mel_pipeline.reporting.site.data import KINDS, protected_presence
from mel_pipeline.reporting.site.downloads import figures_csv
from mel_pipeline.reporting.site.slugs import search_key, slugs
from mel_pipeline.reporting.site.store import MANIFEST
from mel_pipeline_tests.fixtures.site import NASTY, attendance, attended, sample_site, sources_in
from mel_pipeline_tests.golden.sample_edition import (
    QUARTERS,
    cell,
    fewer_charts,
    sample_edition,
    with_cells,
    with_figure,
)

SEATLESS = pd.DataFrame([], columns=["account_id", "quarter"])


def presence(rows, min_cell=5):
    return protected_presence(pd.DataFrame(rows, columns=list(attended("", "", "", ""))), SEATLESS, min_cell)


class Links(HTMLParser):
    """Every address a page refers to, and every id on it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids |= {named["id"]} if named.get("id") else set()
        self.addresses += [named[name] for name in ("href", "src") if named.get(name)]


def small_site(**changes):
    """As the sample, with two indicators: few charts to draw."""
    site = sample_site(**changes)
    few = site.edition.indicators["indicator_id"].isin(["LAB-02", "GEN-01"])
    figures = site.edition.figures
    return replace(
        site,
        edition=replace(
            site.edition,
            indicators=site.edition.indicators[few],
            figures=figures[figures["indicator_id"].isin(["LAB-02", "GEN-01"])],
        ),
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    return sources_in(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    (folder / "2024-Q4" / "charts").mkdir(parents=True)
    (folder / "2024-Q4" / "report-en.html").write_text("<main id='sheet-LAB-02 '></main>")
    (folder / "2024-Q4" / "figures 100%.csv").write_text("a")
    (folder / "2024-Q4" / "charts" / "LAB-02.svg").write_text("<svg/>")
    return folder


# Disclosure control of presence


def test_a_kind_with_fewer_organisations_than_the_rule_is_shown_for_nobody():
    rows = [attended(str(n), "2024-Q4", "a", "Training") for n in range(4)]
    seen = presence(rows)
    assert seen.withheld == {("2024-Q4", "Training")}
    assert seen.counts.empty
    assert seen.recorded == {"2024-Q4"}
    assert len(presence([*rows, attended("4", "2024-Q4", "b", "Training")]).counts) == 5


def test_a_city_that_was_absent_cannot_be_distinguished_from_one_that_came_to_a_withheld_kind():
    cities = {city.name: city for city in read_cities(sample_site(), QUARTERS)}
    came, absent = cities["Gauteng"], cities["Johannesburg"]
    assert came.counts["2024-Q4", "Training"] == absent.counts["2024-Q4", "Training"] == WITHHELD
    assert came.counts == absent.counts
    assert came.total(["2024-Q4"]) == WITHHELD


def test_the_whole_is_not_shown_where_a_part_is_withheld():
    city = next(city for city in read_cities(sample_site(), QUARTERS) if city.name == "São Paulo")
    assert city.counts["2024-Q4", "Solutions Lab"] == 1
    assert city.total(["2024-Q4"]) == WITHHELD
    assert city.total(["2024-Q3"]) == 2


def test_speaking_at_an_event_that_is_not_shown_does_not_disclose_it():
    rows = [attended(str(n), "2024-Q4", "a", "Panel", spoke=True) for n in range(6)]
    rows += [attended(str(n), "2024-Q4", "b", "Training", spoke=n == 1) for n in range(2)]
    seen = presence(rows)
    assert seen.withheld == {("2024-Q4", "Training"), ("2024-Q4", "speaking")}
    assert set(seen.counts["kind"]) == {"Panel"}


def test_a_lab_that_few_worked_in_is_not_named():
    rows = [attended(str(n), "2024-Q4", "a", "Solutions Lab", lab="Known lab") for n in range(5)]
    rows += [attended("1", "2024-Q4", "b", "Solutions Lab", lab="Quiet lab")]
    assert set(presence(rows).labs["lab"]) == {"Known lab"}


def test_a_quarter_without_records_is_not_a_zero():
    city = next(city for city in read_cities(sample_site(), QUARTERS) if city.name == "Łódź")
    assert city.counts["2023-Q2", "Solutions Lab"] == NO_RECORD
    assert city.counts["2023-Q3", "Solutions Lab"] == 0
    assert city.total(["2023-Q2", "2023-Q3"]) == NO_RECORD


def test_a_reader_of_all_pages_cannot_count_fewer_organisations_than_the_rule_in_any_cell():
    cities = read_cities(sample_site(), QUARTERS)
    for quarter in QUARTERS:
        for kind in (*KINDS, "speaking"):
            there = sum(
                1
                for city in cities
                if isinstance(city.counts[quarter, kind], int) and city.counts[quarter, kind]
            )
            assert there == 0 or there >= 5, (quarter, kind)


# Cities


def test_an_ended_membership_is_shown_with_only_its_years_and_quarters():
    cities = {(city.name, city.country): city for city in read_cities(sample_site(), QUARTERS)}
    assert cities["Atlantis", ""].standing == "former"
    assert cities["Atlantis", ""].quarters == QUARTERS[:5]
    assert [(spell.began, spell.ended) for spell in cities["Córdoba", "AR"].spells] == [
        (2001, 2010),
        (2019, None),
    ]


def test_seats_are_shown_as_runs_of_quarters():
    city = next(city for city in read_cities(sample_site(), QUARTERS) if city.name == "São Paulo")
    assert city.seats == [("2024-Q1", "2024-Q4")]


def test_medians_need_five_members_and_every_part_of_the_count():
    site = sample_site()
    cities = read_cities(site, QUARTERS)
    found = regional_medians(cities, QUARTERS, 5)
    assert {region for region, _ in found} == {"Asia"}  # six members; everybody else has fewer than five
    assert found["Asia", "2024-Q3"] == 1.5  # 2, 2, 2, 1, 1, 0
    assert ("Asia", "2024-Q4") not in found and ("Asia", "2024") not in found  # a training is withheld
    assert ("Asia", "2023") not in found  # a quarter without record


def test_cities_of_the_same_name_get_separate_and_stable_addresses():
    cities = [
        {"account_id": "20", "name": "Guadalajara", "country": "MX"},
        {"account_id": "3", "name": "Guadalajara", "country": "MX"},
        {"account_id": "4", "name": "Guadalajara", "country": "ES"},
        {"account_id": "5", "name": "北京", "country": "CN"},
        {"account_id": "6", "name": "Index", "country": ""},
    ]
    found = slugs(cities)
    assert found["3"] == "guadalajara-mx" and found["4"] == "guadalajara-es"
    assert re.fullmatch(r"guadalajara-mx-[0-9a-f]{6}", found["20"])
    assert re.fullmatch(r"cn-[0-9a-f]{6}", found["5"]) and re.fullmatch(r"index-[0-9a-f]{6}", found["6"])
    assert len(set(found.values())) == 5
    assert slugs(list(reversed(cities))) == found
    assert slugs(cities[1:2])["3"] == "guadalajara-mx"


@pytest.mark.fault(41)
def test_a_name_of_thousands_of_letters_still_makes_a_file_name():
    cities = [{"account_id": str(n), "name": "x" * 3_000 + str(n), "country": "MX"} for n in range(2)]
    found = set(slugs(cities).values())
    assert len(found) == 2 and max(map(len, found)) < 100


@pytest.mark.parametrize(
    ("text", "key"), [("São Paulo", "sao paulo"), ("Łódź", "lodz"), ("Xi'an", "xi an"), ("MEM-02", "mem 02")]
)
def test_accents_and_signs_do_not_matter_to_the_search(text, key):
    assert search_key(text) == key


# Downloads


def test_no_text_of_the_download_can_run_in_a_spreadsheet_and_nothing_withheld_is_in_it():
    edition = with_figure(
        sample_edition(), "GEN-02", "2024-Q4", status="suppressed", value=36.4, numerator=4, n=4
    )
    edition = with_cells(edition, [cell("GEN-02", "2024-Q4", "theme", NASTY, -3.0)])
    rows = list(csv.DictReader(io.StringIO(figures_csv(edition.figures, "GEN-02").decode("utf-8-sig"))))
    texts = [
        row[key]
        for row in rows
        for key in ("indicator_id", "period", "dimension", "category", "status", "note")
    ]
    assert not any(text.startswith(("=", "+", "-", "@", "\t")) for text in texts)
    assert {row["category"] for row in rows if row["dimension"] == "theme"} == {f"'{NASTY}"}
    withheld = [row for row in rows if row["status"] == "suppressed"]
    assert withheld and all(
        row[key] == "" for row in withheld for key in ("value", "numerator", "denominator", "n")
    )
    assert [row["value"] for row in rows if row["dimension"] == "theme"] == ["-3"]  # a number stays one


# Available editions


def test_only_existing_editions_are_listed(out: Path):
    (out / "2024-Q3").mkdir()
    (out / "2024").mkdir()
    (out / "2024" / "report-fr.html").write_text("x")
    (out / "2024" / ".report-en.pdf.tmp").write_text("x")
    (out / "2024" / "~$report-en.xlsx").write_text("x")
    (out / "drafts").mkdir()
    found = available_editions(out)
    assert [edition.period for edition in found] == ["2024", "2024-Q4"]
    assert [(file.address, file.language, file.format) for file in found[1].files] == [
        ("2024-Q4/report-en.html", "en", "html"),
        ("2024-Q4/figures%20100%25.csv", "", "csv"),
    ]
    assert [file.name for file in found[1].charts] == ["LAB-02"]
    page = found[0].page("es")
    assert page is not None and page.language == "fr"
    assert len(found[0].files) == 1
    assert available_editions(out / "nowhere") == []


# The pages


@pytest.fixture(scope="module")
def built(tmp_path_factory, sources, drawn_pictures) -> Path:
    folder = tmp_path_factory.mktemp("published")
    (folder / "2024-Q4").mkdir()
    (folder / "2024-Q4" / "report-en.html").write_text("<main id='sheet-LAB-02'></main>")
    site = small_site()
    cities = site.cities.copy()
    cities.loc[cities["account_id"] == "15", "account_name"] = '<img src=x onerror="alert(1)">'
    with cache.using(drawn_pictures):
        build_site(replace(site, cities=cities), folder, sources, ["en", "fr", "es"])
    return folder


@pytest.mark.long
def test_every_link_of_every_page_leads_to_a_file(built: Path):
    for path in built.rglob("*.html"):
        if path.parent.name == "2024-Q4":
            continue
        page = Links(path.read_text(encoding="utf-8"))
        for address in page.addresses:
            if address.startswith("data:"):
                continue
            assert "//" not in address, address
            file, _, part = address.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.is_file(), (path, address)
            if part and target.parent.name != "2024-Q4":
                assert part in Links(target.read_text(encoding="utf-8")).ids, (path, address)


@pytest.mark.slow
def test_names_from_the_crm_are_escaped(built: Path):
    for path in built.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<img src=x" not in text and "<b>Métropole</b>" not in text
        assert "Institut &lt;b&gt;Métropole&lt;/b&gt; &amp; amis" in text


def test_the_page_of_a_city_shows_no_person_and_no_fee(built: Path):
    for path in built.glob("cities/*.html"):
        text = re.sub(r"<script>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        words = re.sub(r"<[^>]+>", "", text)
        assert "@" not in words and "€" not in words and "(n = " not in words
    words = re.sub(r"<[^>]+>", " ", (built / "cities/sao-paulo-br-en.html").read_text(encoding="utf-8"))
    assert "since 1995" in words and "2024-Q1 to 2024-Q4" in words and "not shown" in words


@pytest.mark.slow
def test_a_gift_is_shown_only_where_the_figures_print_it(tmp_path, sources):
    site = sample_site()
    edition = fewer_charts(site.edition)
    few = edition.indicators["indicator_id"].isin(["FND-01"])
    site = replace(
        site,
        edition=replace(
            edition,
            indicators=edition.indicators[few].assign(headline=False),
            figures=edition.figures[edition.figures["indicator_id"] == "FND-01"],
        ),
    )
    build_site(site, tmp_path, sources, ["en"])
    assert "€100,000" in (tmp_path / "cities/sao-paulo-br-en.html").read_text(encoding="utf-8")
    assert "€" not in (tmp_path / "cities/lodz-pl-en.html").read_text(encoding="utf-8")
    assert "€700,000" not in "".join(path.read_text() for path in tmp_path.glob("cities/*.html"))


@pytest.mark.slow
def test_a_withheld_figure_is_shown_as_text_on_its_page(tmp_path, sources):
    site = small_site()
    edition = with_figure(
        site.edition, "GEN-01", "2024-Q3", status="suppressed", value=55.2, note="secret 3 of 4"
    )
    build_site(replace(site, edition=edition), tmp_path, sources, ["en"])
    text = (tmp_path / "indicators/GEN-01-en.html").read_text(encoding="utf-8")
    assert "not shown" in text and "55.2" not in text and "secret 3 of 4" not in text


@pytest.mark.slow
@pytest.mark.long
def test_the_same_site_gives_the_same_bytes_and_touches_nothing(out: Path, sources):
    build_site(small_site(), out, sources, ["en", "fr"])
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()}
    again = build_site(small_site(), out, sources, ["en", "fr"])
    assert (again.written, again.removed) == (0, 0)
    assert before == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_pages_of_a_former_city_are_removed_unless_edited(out: Path, sources):
    site = small_site()
    build_site(site, out, sources, ["en"])
    edited, gone = out / "cities/lodz-pl-en.html", out / "cities/sao-paulo-br-en.html"
    edited.write_text(edited.read_text() + "<!-- a note of mine -->")
    stranger = out / "cities/my-own-page.html"
    stranger.write_text("mine")
    fewer = replace(site, cities=site.cities[~site.cities["account_name"].isin(["São Paulo", "Łódź"])])
    assert build_site(fewer, out, sources, ["en"]).removed == 1
    assert edited.is_file() and stranger.is_file() and not gone.exists()
    assert (out / "2024-Q4/report-en.html").is_file()


@pytest.mark.slow
def test_a_forged_manifest_removes_nothing_outside_the_site(out: Path, sources, tmp_path):
    build_site(small_site(), out, sources, ["en"])
    report = out / "2024-Q4/report-en.html"
    import hashlib

    digest = hashlib.sha256(report.read_bytes()).hexdigest()
    listed = json.loads((out / MANIFEST).read_text())
    listed |= {
        "2024-Q4/report-en.html": digest,
        "cities/../2024-Q4/report-en.html": digest,
        str(report): digest,
    }
    (out / MANIFEST).write_text(json.dumps(listed))
    assert build_site(small_site(), out, sources, ["en"]).removed == 0
    assert report.is_file()


@pytest.mark.slow
def test_an_index_page_that_is_not_ours_is_not_overwritten(out: Path, sources):
    (out / "index.html").write_text("<h1>Mine</h1>")
    with pytest.raises(ReportError, match=r"index\.html was not written by it"):
        build_site(small_site(), out, sources, ["en"])
    assert (out / "index.html").read_text() == "<h1>Mine</h1>"
    assert not (out / "cities").exists()


@pytest.mark.slow
def test_a_broken_template_is_reported_with_its_name_and_line(tmp_path, sources):
    broken = sources_in(tmp_path, ("en",))
    page = broken / "templates/site/cities.html.jinja"
    page.write_text(page.read_text().replace("regions %}", "unheard_of %}", 1))
    with pytest.raises(ReportError, match=r"cities\.html\.jinja.*unheard_of"):
        build_site(small_site(), tmp_path / "out", broken, ["en"])


@pytest.mark.slow
def test_without_editions_the_site_is_still_built(tmp_path, sources):
    build_site(small_site(), tmp_path, sources, ["en"])
    assert "No edition lies here yet" in (tmp_path / "index.html").read_text()


@pytest.mark.slow
def test_a_published_edition_says_so_with_version_and_day(out: Path, sources):
    (out / "2024-Q3").mkdir()
    (out / "2024-Q3" / "report-en.html").write_text("x")
    build_site(small_site(), out, sources, ["en", "es"])
    assert "Published, version 2 of 2 November 2024" in (out / "index.html").read_text()
    assert "Publicada, versión 2 del 2 de noviembre de 2024" in (out / "index-es.html").read_text()


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_language_has_the_texts_of_the_site_with_the_same_placeholders(language, sources):
    from mel_pipeline.reporting.text.texts import load_texts

    english, other = (load_texts(sources, code).entries for code in ("en", language))
    keys = {key for key in english if key.startswith("site.")}
    assert keys == {key for key in other if key.startswith("site.")}
    for key in keys:
        first, second = english[key], other[key]
        if isinstance(first, dict):
            assert set(first) <= set(second)
        else:
            assert set(re.findall(r"{\w+}", first)) == set(re.findall(r"{\w+}", second)), key


def test_the_sample_attends_as_the_tests_say():
    assert {row["quarter"] for row in attendance()} == set(QUARTERS) - {"2023-Q2"}
