"""Print true measurements in the notations that product images use."""

from dataclasses import dataclass

# Size of each unit in the first unit of its kind: millimetre, gram, millilitre, watt, volt.
FACTORS: dict[str, float] = {
    "millimetre": 1,
    "centimetre": 10,
    "inch": 25.4,
    "metre": 1000,
    "gram": 1,
    "ounce": 28.3495,
    "pound": 453.592,
    "kilogram": 1000,
    "millilitre": 1,
    "centilitre": 10,
    "fluid ounce": 29.5735,
    "cup": 236.588,
    "pint": 473.176,
    "quart": 946.353,
    "litre": 1000,
    "gallon": 3785.41,
    "cubic foot": 28316.8,
    "watt": 1,
    "kilowatt": 1000,
    "volt": 1,
}

# Spellings seen on product images; the first of each is the most common.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "millimetre": ("mm", "MM"),
    "centimetre": ("cm", "CM"),
    "inch": ("in", '"', "inch", "inches", "”"),
    "metre": ("m",),
    "gram": ("g", "gr", "g"),
    "ounce": ("oz", "OZ", "oz."),
    "pound": ("lbs", "lb", "LBS", "pounds"),
    "kilogram": ("kg", "KG", "Kg"),
    "millilitre": ("ml", "mL", "ML"),
    "centilitre": ("cl", "cL"),
    "fluid ounce": ("fl oz", "FL OZ", "fl. oz."),
    "cup": ("cups", "Cups"),
    "pint": ("pt", "pint"),
    "quart": ("qt", "QT", "quart"),
    "litre": ("L", "l"),
    "gallon": ("gal", "gallon", "GAL"),
    "cubic foot": ("cu ft", "cu. ft.", "cubic feet"),
    "watt": ("W", "W", "w"),
    "kilowatt": ("kW", "KW"),
    "volt": ("V", "V", "v"),
}

# Full words of other languages, sometimes used instead of the symbol.
WORDS: dict[tuple[str, str], str] = {
    ("de", "litre"): "Liter",
    ("de", "inch"): "Zoll",
    ("de", "gram"): "Gramm",
    ("fr", "litre"): "litres",
    ("fr", "inch"): "pouces",
    ("es", "litre"): "litros",
    ("es", "inch"): "pulgadas",
    ("it", "litre"): "litri",
    ("it", "inch"): "pollici",
}


@dataclass(frozen=True)
class Amount:
    """A number with a unit of the challenge.

    >>> Amount(12, "inch").truth, Amount(15.5, "centimetre").to("inch")
    ('12.0 inch', Amount(value=6.1, unit='inch'))
    """

    value: float
    unit: str

    @property
    def truth(self) -> str:
        """Return the amount in the official format, such as `"12.0 inch"`."""
        return f"{float(self.value)} {self.unit}"

    def to(self, unit: str, digits: int = 1) -> "Amount":
        """Convert the amount to another unit, rounded to `digits` decimals."""
        return Amount(round(self.value * FACTORS[self.unit] / FACTORS[unit], digits), unit)


@dataclass(frozen=True)
class Notation:
    """The notation of amounts in one image.

    Attributes:
        language: Two letters; all except `"en"` use a decimal comma.
        gap: Text between number and unit.
        joint: `"/"`, `" / "`, `" | "` or `"("`, between a measurement and its conversion.
        choice: Any number; selects the spelling of each unit.
        grouped: Whether English thousands have a comma.
        halves: Whether half pounds are written `1/2`.
    """

    language: str = "en"
    gap: str = " "
    joint: str = "/"
    choice: int = 0
    grouped: bool = False
    halves: bool = False

    def number(self, value: float) -> str:
        """Print a number without a unit.

        >>> Notation("de").number(15.5), Notation().number(12.0)
        ('15,5', '12')
        >>> Notation(grouped=True).number(1500)
        '1,500'
        """
        plain = f"{value:,.10g}" if self.grouped and self.language == "en" else f"{value:.10g}"
        return plain if self.language == "en" else plain.replace(".", ",")

    def unit(self, unit: str) -> str:
        """Return this image's spelling of a unit."""
        if self.choice % 3 == 0 and (self.language, unit) in WORDS:
            return WORDS[self.language, unit]
        spellings = SPELLINGS[unit]
        return spellings[self.choice % len(spellings)]

    def write(self, amount: Amount) -> str:
        """Print number and unit.

        >>> Notation("fr", gap="").write(Amount(1.5, "kilogram"))
        '1,5kg'
        >>> Notation(halves=True).write(Amount(2.5, "pound"))
        '2 1/2 lbs'
        """
        spelling = self.unit(amount.unit)
        gap = " " if len(spelling) > 4 and self.gap == "" else self.gap
        gap = "" if spelling in ('"', "”") else gap
        number = self.number(amount.value)
        if self.halves and amount.unit == "pound" and amount.value % 1 == 0.5:
            number = f"{amount.value - 0.5:.0f} 1/2"
        return number + gap + spelling

    def both(self, amount: Amount, unit: str, digits: int = 1) -> str:
        """Print an amount followed by its conversion.

        >>> Notation(gap="", joint="(").both(Amount(15.5, "centimetre"), "inch")
        '15.5cm(6.1in)'
        """
        end = ")" if self.joint.endswith("(") else ""
        return self.write(amount) + self.joint + self.write(amount.to(unit, digits)) + end
