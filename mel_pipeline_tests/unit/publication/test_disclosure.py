"""Small groups are withheld, and nothing that is printed gives them away."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mel_pipeline.publication.disclosure import Sensitivity, audit, protect
from mel_pipeline.publication.disclosure.choice import Choice
from mel_pipeline.publication.disclosure.structure import Quantity, Row, read_figures

SURVEY = {
    "SAT-01": Sensitivity("answers", "denominator", "ratio", "score"),
    "SAT-02": Sensitivity("answers", "denominator", "ratio", "percent"),
    "SAT-04": Sensitivity("answers", "numerator", "ratio", "percent"),
}
GENDER = {"GEN-01": Sensitivity("people", "denominator", "distinct", "percent")}
QUARTERS = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]


def row(
    indicator: str, period: str, category: str, numerator: float, denominator: float, dimension: str = "kind"
) -> dict[str, Any]:
    total = category == ""
    scale = 1 if indicator == "SAT-01" else 100
    return {
        "indicator_id": indicator,
        "period": period,
        "disaggregation": "total" if total else f"{dimension}={category}",
        "dimension": "total" if total else dimension,
        "category": None if total else category,
        "value": scale * numerator / denominator if denominator else None,
        "numerator": numerator,
        "denominator": denominator,
        "n": denominator,
        "status": "ok" if denominator else "not_available",
        "note": None,
    }


def answers(period: str, **people: int) -> list[dict[str, Any]]:
    """Answers by kind of activity: mean 4, all of them satisfied, of ten times as many invited."""
    rows = []
    for category, count in {**people, "": sum(people.values())}.items():
        rows += [
            row("SAT-01", period, category, 4 * count, count),
            row("SAT-02", period, category, count, count),
            row("SAT-04", period, category, count, 10 * sum(people.values()) if not category else 10 * count),
        ]
    return rows


def genders(period: str, women: int, men: int, rare: int, silent: int) -> list[dict[str, Any]]:
    stated = women + men + rare
    return [
        row("GEN-01", period, "", women, stated),
        row("GEN-01", period, "Woman", women, stated, "gender"),
        row("GEN-01", period, "Man", men, stated, "gender"),
        row("GEN-01", period, "Non-binary", rare, stated, "gender"),
        row("GEN-01", period, "Undisclosed", silent, stated + silent, "gender"),
    ]


def withheld(frame: pd.DataFrame, indicator: str) -> set[str]:
    mine = frame[(frame["indicator_id"] == indicator) & (frame["status"] == "suppressed")]
    return {f"{period} {cell}" for period, cell in zip(mine["period"], mine["disaggregation"], strict=True)}


def test_a_figure_about_one_to_four_people_is_withheld_with_all_its_numbers() -> None:
    for count, is_withheld in ((0, False), (1, True), (4, True), (5, False)):
        done = protect(pd.DataFrame(answers("2024-Q4", lab=count, panel=60, talk=50)), SURVEY)
        assert ("2024-Q4 kind=lab" in withheld(done.frame, "SAT-01")) is is_withheld
        hidden = done.frame[done.frame["status"] == "suppressed"]
        assert hidden[["value", "numerator", "denominator", "n", "note"]].isna().all(axis=None)


def test_the_smallest_protecting_second_cell_is_withheld_too() -> None:
    done = protect(pd.DataFrame(answers("2024-Q4", lab=3, panel=60, talk=20)), SURVEY)
    assert withheld(done.frame, "SAT-01") == {"2024-Q4 kind=lab", "2024-Q4 kind=talk"}


def test_indicators_about_the_same_people_are_withheld_together() -> None:
    done = protect(pd.DataFrame(answers("2024-Q4", lab=3, panel=60, talk=20)), SURVEY)
    assert withheld(done.frame, "SAT-04") == withheld(done.frame, "SAT-02") == withheld(done.frame, "SAT-01")


def test_a_response_rate_that_leaves_answers_out_does_not_part_the_others_of_its_group() -> None:
    """Answers beyond the invitations: the rate counts 7, the mean, the share and the scores 9."""
    rules = {**SURVEY, "SAT-05": Sensitivity("answers", "denominator", "ratio", "percent")}
    rows = [row("SAT-01", "2024-Q4", "", 36, 9), row("SAT-02", "2024-Q4", "", 9, 9)]
    rows += [row("SAT-04", "2024-Q4", "", 7, 10), row("SAT-05", "2024-Q4", "", 9, 9)]
    choice = Choice(read_figures(pd.DataFrame(rows), rules), rules, 5)
    whole = {name: Row(name, "2024-Q4", "total", "") for name in rules}
    others = [Quantity(whole[name], "denominator") for name in ("SAT-02", "SAT-05")]
    pairs = [(dict(link.weights), link.is_bound) for link in choice.links]
    assert ({others[0]: 1.0, others[1]: -1.0}, False) in pairs
    assert ({Quantity(whole["SAT-04"], "numerator"): 1.0, others[1]: -1.0}, True) in pairs


def test_a_cell_of_nobody_does_not_hide_a_small_one() -> None:
    done = protect(pd.DataFrame(answers("2024-Q4", lab=3, panel=0, talk=20)), SURVEY)
    assert "2024-Q4 kind=talk" in withheld(done.frame, "SAT-01")


def test_where_everything_is_small_the_total_is_withheld_too() -> None:
    done = protect(pd.DataFrame(answers("2024-Q4", lab=2, panel=1)), SURVEY)
    assert withheld(done.frame, "SAT-01") == {"2024-Q4 kind=lab", "2024-Q4 kind=panel", "2024-Q4 total"}


def year(**cells: list[int]) -> pd.DataFrame:
    rows = []
    for number, period in enumerate(QUARTERS):
        rows += answers(period, **{name: counts[number] for name, counts in cells.items()})
    return pd.DataFrame(rows + answers("2024", **{name: sum(counts) for name, counts in cells.items()}))


def test_a_small_quarter_does_not_follow_from_the_year() -> None:
    done = protect(year(lab=[20, 30, 25, 3], panel=[40, 40, 40, 40], talk=[10, 10, 10, 10]), SURVEY)
    assert "2024-Q4 kind=lab" in withheld(done.frame, "SAT-01")
    assert withheld(done.frame, "SAT-01") & {"2024 kind=lab", *(f"{q} kind=lab" for q in QUARTERS[:3])}
    inferred = audit(done.frame, SURVEY)[Quantity(Row("SAT-01", "2024-Q4", "kind", "lab"), "denominator")]
    assert inferred.width >= 5


def test_a_quarter_without_answers_cannot_help_an_attacker() -> None:
    frame = year(lab=[20, 30, 0, 3], panel=[40, 40, 40, 40], talk=[10, 10, 10, 10])
    for listed in (frame, frame[(frame["status"] == "ok") | frame["category"].isna()].reset_index(drop=True)):
        done = protect(listed, SURVEY)
        assert withheld(done.frame, "SAT-01") & {"2024 kind=lab", "2024-Q1 kind=lab", "2024-Q2 kind=lab"}


def test_a_quarter_that_was_never_calculated_still_bounds_the_others() -> None:
    frame = year(lab=[2, 1, 30, 25], panel=[40, 40, 40, 40], talk=[10, 10, 10, 10])
    frame = frame[frame["period"] != "2024-Q2"].reset_index(drop=True)
    done = protect(frame, SURVEY)
    inferred = audit(done.frame, SURVEY)[Quantity(Row("SAT-01", "2024-Q1", "kind", "lab"), "denominator")]
    assert inferred.width >= 5


def test_what_is_published_stays_and_the_year_gives_way() -> None:
    frame = year(lab=[20, 30, 25, 3], panel=[40, 40, 40, 40], talk=[10, 10, 10, 10])
    out = frame[frame["period"].isin(QUARTERS[:3])]
    frozen = set(zip(out["indicator_id"], out["period"], out["disaggregation"], strict=True))
    done = protect(frame, SURVEY, frozen=frozen)
    assert done.unprotected == []
    assert withheld(done.frame, "SAT-01") >= {"2024-Q4 kind=lab", "2024 kind=lab"}
    assert not any(name[:7] in QUARTERS[:3] for name in withheld(done.frame, "SAT-01"))


def test_a_published_zero_of_answers_counts_as_a_published_figure() -> None:
    """Found by the attack: a kind nobody answered was withheld in a later version to protect a new quarter."""
    frame = pd.DataFrame(
        answers("2024-Q1", lab=0, panel=60)
        + answers("2024-Q2", lab=3, panel=60)
        + answers("2024", lab=3, panel=120)
    )
    first = protect(frame[frame["period"] == "2024-Q1"], SURVEY).frame
    assert set(first["status"]) == {"ok", "not_available"}
    out = set(zip(first["indicator_id"], first["period"], first["disaggregation"], strict=True))
    done = protect(frame, SURVEY, frozen=out)
    assert not any(name.startswith("2024-Q1") for name in withheld(done.frame, "SAT-01"))


def test_what_follows_from_published_figures_is_reported() -> None:
    frame = pd.DataFrame(answers("2024-Q4", lab=3, panel=60))
    shown = {(i, "2024-Q4", cell) for i in SURVEY for cell in ("total", "kind=panel")}
    done = protect(frame, SURVEY, frozen=shown)
    assert any(
        "answers 2024-Q4 kind=lab follows from figures already published" in line for line in done.unprotected
    )


def test_what_was_withheld_once_stays_withheld_in_later_versions() -> None:
    frame = pd.DataFrame(answers("2024-Q4", lab=9, panel=60, talk=20))
    done = protect(frame, SURVEY, withheld={("SAT-01", "2024-Q4", "kind=lab")})
    assert "2024-Q4 kind=lab" in withheld(done.frame, "SAT-01")


def test_a_few_non_binary_people_are_withheld_and_men_with_them_but_not_the_share_of_women() -> None:
    done = protect(pd.DataFrame(genders("2024-Q4", 30, 25, 2, 8)), GENDER)
    assert withheld(done.frame, "GEN-01") == {"2024-Q4 gender=Non-binary", "2024-Q4 gender=Man"}


def test_fewer_than_five_who_stated_a_gender_are_withheld_altogether() -> None:
    done = protect(pd.DataFrame(genders("2024-Q4", 2, 1, 0, 9)), GENDER)
    assert {"2024-Q4 total", "2024-Q4 gender=Woman", "2024-Q4 gender=Man"} <= withheld(done.frame, "GEN-01")
    found = audit(done.frame, GENDER)[Quantity(Row("GEN-01", "2024-Q4", "total", ""), "denominator")]
    assert found.width >= 5


SPREAD = {
    "SAT-01": Sensitivity("answers", "denominator", "ratio", "score"),
    "SAT-02": Sensitivity("answers", "denominator", "ratio", "percent", ("4", "5")),
    "SAT-05": Sensitivity("answers", "denominator", "ratio", "percent"),
}


def scores(period: str, *counts: int) -> list[dict[str, Any]]:
    """How many gave each score from 1 to 5, with the mean and the satisfied of the same answers."""
    everybody = sum(counts)
    weighed = sum(score * count for score, count in enumerate(counts, start=1))
    return [
        row("SAT-01", period, "", weighed, everybody),
        row("SAT-02", period, "", counts[3] + counts[4], everybody),
        row("SAT-05", period, "", everybody, everybody),
        *(
            row("SAT-05", period, str(score), count, everybody, "answer")
            for score, count in enumerate(counts, start=1)
        ),
    ]


def year_of_scores(*quarters: tuple[int, ...]) -> pd.DataFrame:
    rows = [
        line for period, counts in zip(QUARTERS, quarters, strict=True) for line in scores(period, *counts)
    ]
    return pd.DataFrame(rows + scores("2024", *(sum(each) for each in zip(*quarters, strict=True))))


@pytest.mark.slow
def test_answers_by_score_of_a_quarter_with_few_answers_are_withheld_and_do_not_follow_from_the_year() -> (
    None
):
    frame = year_of_scores((3, 4, 6, 20, 25), (2, 3, 5, 18, 20), (0, 1, 1, 1, 1), (4, 2, 7, 30, 28))
    done = protect(frame, SPREAD)
    hidden = withheld(done.frame, "SAT-05")
    assert {"2024-Q3 total", *(f"2024-Q3 answer={score}" for score in range(1, 6))} <= hidden
    assert done.unprotected == []
    found = audit(done.frame, SPREAD)
    for score in range(1, 6):
        cell = Row("SAT-05", "2024-Q3", "answer", str(score))
        assert found[Quantity(cell, "denominator")].width >= 5
        assert found[Quantity(cell, "numerator")].width >= 1


def test_answers_by_score_are_all_shown_where_enough_people_answered_even_a_score_of_one_person() -> None:
    done = protect(pd.DataFrame(scores("2024-Q4", 1, 0, 2, 20, 22)), SPREAD)
    assert withheld(done.frame, "SAT-05") == set()


def test_the_year_of_answers_by_score_gives_way_where_quarters_are_published() -> None:
    frame = year_of_scores((3, 4, 6, 20, 25), (2, 3, 5, 18, 20), (3, 3, 4, 21, 22), (1, 0, 1, 1, 1))
    out = frame[frame["period"].isin(QUARTERS[:3])]
    frozen = set(zip(out["indicator_id"], out["period"], out["disaggregation"], strict=True))
    done = protect(frame, SPREAD, frozen=frozen)
    assert done.unprotected == []
    hidden = withheld(done.frame, "SAT-05")
    assert not any(name[:7] in QUARTERS[:3] for name in hidden)
    assert {"2024 total", *(f"2024 answer={score}" for score in range(1, 6))} <= hidden


def test_the_audit_infers_answers_by_score_from_a_mean_and_a_share_of_satisfied() -> None:
    """Mean 1 of n answers: everybody answered 1. The attacker knows what the indicators of a group share."""
    frame = pd.DataFrame(scores("2024-Q4", 2, 3, 5, 10, 10))
    chosen = frame["disaggregation"].isin(["answer=1", "answer=2", "answer=4"])
    frame.loc[chosen, ["status", "value", "numerator", "denominator", "n"]] = [
        "suppressed", None, None, None, None,
    ]  # fmt: skip
    found = audit(frame, SPREAD)
    for score, count in (("1", 2), ("2", 3), ("4", 10)):
        interval = found[Quantity(Row("SAT-05", "2024-Q4", "answer", score), "numerator")]
        assert (interval.low, interval.high) == (count, count)


NET = {
    "SAT-03": Sensitivity("recommendations", "denominator", "ratio", "points"),
    "SAT-06": Sensitivity("recommendations", "denominator", "ratio", "percent"),
}
CLASSES = ("Promoters", "Passives", "Detractors")


def recommended(period: str, *counts: int) -> list[dict[str, Any]]:
    """How many are promoters, passives and detractors, with the net score of the same answers."""
    everybody = sum(counts)
    return [
        row("SAT-03", period, "", counts[0] - counts[2], everybody),
        row("SAT-06", period, "", everybody, everybody),
        *(
            row("SAT-06", period, name, count, everybody, "recommendation")
            for name, count in zip(CLASSES, counts, strict=True)
        ),
    ]


def test_a_negative_net_score_of_a_quarter_with_few_answers_is_withheld_and_does_not_follow_from_the_year() -> (
    None
):
    quarters = [(20, 10, 5), (18, 9, 9), (0, 1, 3), (25, 8, 4)]
    rows = [
        line
        for period, counts in zip(QUARTERS, quarters, strict=True)
        for line in recommended(period, *counts)
    ]
    year = recommended("2024", *(sum(each) for each in zip(*quarters, strict=True)))
    done = protect(pd.DataFrame(rows + year), NET)
    assert done.unprotected == []
    assert "2024-Q3 total" in withheld(done.frame, "SAT-03")
    hidden = withheld(done.frame, "SAT-06")
    assert {"2024-Q3 total", *(f"2024-Q3 recommendation={name}" for name in CLASSES)} <= hidden
    found = audit(done.frame, NET)
    for name in CLASSES:
        cell = Row("SAT-06", "2024-Q3", "recommendation", name)
        assert found[Quantity(cell, "denominator")].width >= 5
        assert found[Quantity(cell, "numerator")].width >= 1


def test_the_audit_infers_the_classes_from_a_net_score() -> None:
    """30 answers, 6 of them passive, net 12: 18 promoters and 6 detractors."""
    frame = pd.DataFrame(recommended("2024-Q4", 18, 6, 6))
    chosen = frame["disaggregation"].isin(["recommendation=Promoters", "recommendation=Detractors"])
    frame.loc[chosen, ["status", "value", "numerator", "denominator", "n"]] = [
        "suppressed", None, None, None, None,
    ]  # fmt: skip
    found = audit(frame, NET)
    for name, count in (("Promoters", 18), ("Detractors", 6)):
        interval = found[Quantity(Row("SAT-06", "2024-Q4", "recommendation", name), "numerator")]
        assert (interval.low, interval.high) == (count, count)


def test_a_count_of_few_people_is_withheld_in_its_quarter_and_not_in_the_year() -> None:
    rule = {"RCH-04": Sensitivity("attendees", "numerator", "distinct", "people")}
    people = {"2024-Q1": 40, "2024-Q2": 3, "2024-Q3": 52, "2024-Q4": 61, "2024": 130}
    rows = [
        {**row("RCH-04", period, "", count, 1), "value": count, "denominator": None, "n": count}
        for period, count in people.items()
    ]
    done = protect(pd.DataFrame(rows), rule)
    assert done.unprotected == []
    assert withheld(done.frame, "RCH-04") == {"2024-Q2 total"}


def test_figures_that_are_not_about_people_are_left_alone() -> None:
    frame = pd.DataFrame(
        [row("MEM-01", "2024-Q4", "", 3, 3), row("MEM-01", "2024-Q4", "Asia", 3, 3, "region")]
    )
    pd.testing.assert_frame_equal(protect(frame, SURVEY).frame, frame)


def test_figures_that_are_not_available_give_no_relation_and_stay_so() -> None:
    frame = pd.DataFrame(answers("2024-Q4", lab=3, panel=60, talk=20))
    frame.loc[frame["disaggregation"] == "total", ["status", "value", "numerator", "denominator", "n"]] = [
        "not_available", None, None, None, None,
    ]  # fmt: skip
    done = protect(frame, SURVEY)
    assert withheld(done.frame, "SAT-01") == {"2024-Q4 kind=lab"}
    assert set(done.frame.loc[done.frame["disaggregation"] == "total", "status"]) == {"not_available"}


def test_the_order_of_the_rows_changes_nothing_and_neither_does_a_second_time() -> None:
    frame = year(lab=[20, 30, 2, 3], panel=[40, 4, 40, 40], talk=[10, 10, 1, 10])
    once = protect(frame, SURVEY).frame
    mixed = protect(frame.sample(frac=1, random_state=3), SURVEY).frame.sort_index()
    assert once["status"].tolist() == mixed["status"].tolist()
    again = protect(once, SURVEY).frame
    assert again["status"].tolist() == once["status"].tolist()


def test_the_smallest_group_is_a_setting() -> None:
    frame = pd.DataFrame(answers("2024-Q4", lab=9, panel=60, talk=20))
    assert withheld(protect(frame, SURVEY).frame, "SAT-01") == set()
    assert "2024-Q4 kind=lab" in withheld(protect(frame, SURVEY, min_cell=10).frame, "SAT-01")


def test_a_moderator_of_six_panels_is_one_person_and_withheld_whatever_the_slots() -> None:
    frame = pd.DataFrame(genders("2024-Q4", 30, 25, 6, 8)).assign(people=48, members=float("nan"))
    assert withheld(protect(frame, GENDER).frame, "GEN-01") == set()
    frame.loc[frame["category"] == "Non-binary", "members"] = 1
    done = protect(frame, GENDER)
    assert withheld(done.frame, "GEN-01") == {"2024-Q4 gender=Non-binary", "2024-Q4 gender=Man"}


def test_answers_of_one_person_to_six_surveys_are_withheld() -> None:
    frame = pd.DataFrame(answers("2024-Q4", lab=6, panel=60, talk=20)).assign(people=None)
    assert withheld(protect(frame, SURVEY).frame, "SAT-02") == set()
    frame.loc[frame["category"] == "lab", "people"] = 1
    assert "2024-Q4 kind=lab" in withheld(protect(frame, SURVEY).frame, "SAT-02")


def attendees(period: str, everybody: int, **programmes: int) -> list[dict[str, Any]]:
    """Distinct people, who may have taken part in several programmes."""
    return [row("RCH-04", period, "", everybody, 0)] + [
        row("RCH-04", period, name, count, 0, "programme") for name, count in programmes.items()
    ]


@pytest.mark.fault(140)
def test_a_small_programme_is_withheld_without_others_where_people_may_stand_in_several() -> None:
    rules = {"RCH-04": Sensitivity("attendees", "numerator", "distinct", "people")}
    frame = pd.DataFrame(attendees("2024-Q4", 30, labs=20, avantia=14, mget=3))
    frame[["denominator", "status"]] = [None, "ok"]
    done = protect(frame, rules)
    assert withheld(done.frame, "RCH-04") == {"2024-Q4 programme=mget"}
    assert done.unprotected == []


@pytest.mark.fault(140)
def test_a_small_programme_follows_from_the_total_where_each_answer_is_of_one() -> None:
    rows = answers("2024-Q4", labs=20, avantia=14, mget=3)
    frame = pd.DataFrame(
        [
            one
            | {
                "disaggregation": one["disaggregation"].replace("kind", "programme"),
                "dimension": one["dimension"].replace("kind", "programme"),
            }
            for one in rows
        ]
    )
    done = protect(frame, SURVEY)
    assert withheld(done.frame, "SAT-01") == {"2024-Q4 programme=mget", "2024-Q4 programme=avantia"}


TRAINED = {
    "TRN-01": Sensitivity("trainees", "numerator", "distinct", "people"),
    "TRN-03": Sensitivity("trained_by_gender", "denominator", "distinct", "people"),
}


def trained(whole: tuple[int, int, int], **programmes: tuple[int, int, int]) -> pd.DataFrame:
    """People trained, women, and those who stated a gender; of everybody and by programme."""
    rows = []
    for name, (people, women, stated) in {"": whole, **programmes}.items():
        kind = ("programme",) if name else ()
        rows.append(row("TRN-01", "2025-Q2", name, people, 0, *kind) | {"denominator": None})
        rows.append(row("TRN-03", "2025-Q2", name, women, stated, *kind))
    return pd.DataFrame(rows).assign(status="ok")


@pytest.mark.fault(186)
@pytest.mark.parametrize("in_both", [0, 1, 3])
def test_women_of_a_small_programme_follow_from_the_others_where_hardly_anybody_is_in_two(
    in_both: int,
) -> None:
    """75 were trained, 39 and 36 in two programmes: so nobody was in both, and 14 women less 13 are one."""
    frame = trained((75 - in_both, 14, 36), mget=(36, 13, 35), avantia=(39, 1, 1))
    done = protect(frame, TRAINED)
    kept = done.frame[(done.frame["indicator_id"] == "TRN-03") & (done.frame["status"] == "ok")]
    assert "2025-Q2 programme=avantia" in withheld(done.frame, "TRN-03")
    assert len(kept) < 2  # the total, or the other programme, and not both
    assert done.unprotected == []
    assert withheld(done.frame, "TRN-01") == set()


@pytest.mark.fault(186)
def test_women_of_a_small_programme_stand_beside_the_others_where_many_are_in_two() -> None:
    frame = trained((50, 14, 36), mget=(36, 13, 35), avantia=(39, 10, 20), labs=(20, 2, 4))
    assert withheld(protect(frame, TRAINED).frame, "TRN-03") == {"2025-Q2 programme=labs"}


@pytest.mark.fault(140)
def test_people_of_two_programmes_bound_the_total_and_do_not_add_up_to_it() -> None:
    rules = {"RCH-04": Sensitivity("attendees", "numerator", "distinct", "people")}
    whole, small, large = (
        Quantity(Row("RCH-04", "2024-Q4", *name), "numerator")
        for name in (("total", ""), ("programme", "mget"), ("programme", "labs"))
    )
    frame = pd.DataFrame(attendees("2024-Q4", 6, labs=6, mget=3))
    frame[["denominator", "status"]] = [None, "ok"]
    choice = Choice(read_figures(frame, rules), rules, 5)
    links = [(dict(link.weights), link.is_bound) for link in choice.links]
    assert ({small: 1.0, whole: -1.0}, True) in links
    assert ({whole: 1.0, small: -1.0, large: -1.0}, True) in links
    assert not any({small, whole, large} <= weights.keys() and not is_bound for weights, is_bound in links)
