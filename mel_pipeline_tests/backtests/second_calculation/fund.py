"""FND-01: contributions to the fund, signed up to a day, in euro."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count
from mel_pipeline_tests.backtests.second_calculation.periods import Period, plain_day


def cells(deals: pd.DataFrame, organisations: pd.DataFrame, period: Period) -> Iterator[Cell]:
    signed = deals[
        (deals["Pipeline"] == "International Fund")
        & (deals["Stage"] == "Signed")
        & (plain_day(deals["Signed_On"]).map(lambda day: day is not None and day <= period.last))
    ]
    rate = signed["Exchange_Rate"].where(
        signed["Currency"] != "EUR", 1.0
    )  # units of the currency for one euro
    euro = signed["Amount"] / rate
    signed = signed.assign(euro=euro)[euro.notna()]  # without its rate a contribution stays out of the sum
    yield count("FND-01", period, "total", signed["euro"].sum(), len(signed))
    donors = signed["Account_Name"].map(organisations["Account_Name"])
    for dimension, names in (("donor", donors), ("edition", signed["Edition"])):
        for name, amounts in signed["euro"].groupby(names):
            yield count("FND-01", period, f"{dimension}={name}", amounts.sum(), len(amounts))
