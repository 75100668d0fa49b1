"""Whether a number as written is true of a value: rounding, qualifiers and ranges. Arithmetic only."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from mel_pipeline.factcheck.numbers import Number

AGREES, DIFFERS, ROUNDED, LOOSE, DOUBTFUL = "agrees", "differs", "rounded", "loose", "doubtful"
_NEAR = Decimal("0.05")
_FAR = Decimal("0.10")
_FINE = Decimal("0.01")


def compare(number: Number, value: float) -> str:
    """``agrees``, ``differs``, or why it is undecided.

    ``rounded``: it agrees only if the trailing zeros are rounding. ``loose``: true, but the value is
    far from the bound. ``doubtful``: it agrees only with the separators of another language, or as two numbers.
    """
    exact = Decimal(repr(float(value)))
    found = _judge(number, exact)
    if found == DIFFERS and any(
        reading is not None and abs(exact) == reading for reading in (number.other, *number.parts)
    ):
        return DOUBTFUL
    return found


def _judge(number: Number, value: Decimal) -> str:  # noqa: PLR0911 - one return a qualifier
    written = number.value
    if number.high is not None:
        return AGREES if written <= value <= number.high else DIFFERS
    margin = max(number.round_step, abs(written) * _FAR)
    match number.qualifier:
        case "more than":
            return _bound(value > written, value - written, margin)
        case "at least":
            return _bound(value >= written, value - written, margin)
        case "less than":
            return _bound(value < written, written - value, margin)
        case "at most":
            return _bound(value <= written, written - value, margin)
        case "almost":
            near = max(number.step / 2, abs(written) * _NEAR)
            return (
                AGREES if -near <= value - written <= max(number.step / 2, abs(written) * _FINE) else DIFFERS
            )
        case "about":
            near = max(number.step / 2, abs(written) * _NEAR)
            return (
                AGREES
                if abs(value - written) <= near
                else LOOSE
                if abs(value - written) <= 3 * near
                else DIFFERS
            )
        case _:
            return _as_written(number, value)


def _as_written(number: Number, value: Decimal) -> str:
    if _rounded(value, number.step) == number.value:
        return AGREES
    fine = number.round_step <= abs(number.value) * _FINE
    return ROUNDED if fine and _rounded(value, number.round_step) == number.value else DIFFERS


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def _bound(holds: bool, distance: Decimal, margin: Decimal) -> str:
    if not holds:
        return DIFFERS
    return AGREES if distance <= margin else LOOSE
