"""Numbers as text: enough digits to compare, no more; sizes and times in units that people read."""

import math


def fixed(value: float, digits: int = 2) -> str:
    """A number with `digits` decimals, from 10 000 on with none; a true minus sign, no negative zero.

    >>> fixed(-0.004), fixed(-1.256)
    ('0.00', '−1.26')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if abs(value) >= 10000:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    text = f"{value:.{digits}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", "−")


def decimals(values: list[float]) -> int:
    """Decimals that give the middle one of `values` about three significant digits: 0 to 4.

    >>> decimals([0.012]), decimals([3.1, 2.9, 104.0]), decimals([4000.0])
    (4, 2, 0)
    """
    sizes = sorted(abs(value) for value in values if math.isfinite(value) and value)
    if not sizes:
        return 2
    return min(4, max(0, 2 - math.floor(math.log10(sizes[len(sizes) // 2]))))


def readable(value: float, digits: int) -> str:
    """As `fixed`, but a number that `digits` decimals would show as zero keeps two significant digits.

    >>> readable(2.04e-6, 3), readable(0.0, 3)
    ('2.0e−6', '0.000')
    """
    vanishes = math.isfinite(value) and abs(value) > 0 and round(abs(value), digits) == 0
    return significant(value, 2) if vanishes else fixed(value, digits)


def grouped(value: float) -> str:
    """A whole number with narrow no-break spaces between thousands.

    >>> grouped(11822949).replace("\\u202f", " ")
    '11 822 949'
    """
    return f"{value:,.0f}".replace(",", "\u202f")


def decimals_for_digits(value: float, digits: int) -> int:
    """Decimals that give one number `digits` significant digits.

    >>> decimals_for_digits(903.2, 4), decimals_for_digits(0.01234, 4), decimals_for_digits(15081.0, 4)
    (1, 5, 0)
    """
    if not math.isfinite(value) or value == 0:
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def significant(value: float, digits: int = 3) -> str:
    """A number with `digits` significant digits, without exponent between 0.0001 and a million."""
    if not math.isfinite(value) or value == 0:
        return fixed(value, 0)
    if 1e-4 <= abs(value) < 1e6:
        return fixed(value, decimals_for_digits(value, digits))
    return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def listed(names: list[str]) -> str:
    """Words in a sentence: `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
