"""Tests of units: the challenge's table, names of units, conversion."""

import pytest

from lib.quantities.units import (
    ALIASES,
    ENTITIES,
    ENTITY_UNITS,
    SLIP_ALIASES,
    UNIT_KIND,
    list_spellings,
    strip_accents,
    to_base,
    unit_for,
)

ALLOWED = frozenset().union(*ENTITY_UNITS.values())


def test_entities_are_the_challenges() -> None:
    """The eight entities are those of the challenge statement."""
    assert sorted(ENTITIES) == [
        "depth",
        "height",
        "item_volume",
        "item_weight",
        "maximum_weight_recommendation",
        "voltage",
        "wattage",
        "width",
    ]


def test_every_allowed_unit_has_kind_name_and_size() -> None:
    """Each unit that an answer may use has a kind, is known by its own name and can be compared."""
    for unit in ALLOWED:
        assert unit in UNIT_KIND
        assert ALIASES[unit] == unit
        assert to_base(1, unit) > 0


def test_one_kind_per_entity() -> None:
    """All units of an entity measure the same kind of thing."""
    kinds = {entity: {UNIT_KIND[unit] for unit in units} for entity, units in ENTITY_UNITS.items()}
    assert all(len(found) == 1 for found in kinds.values())


def test_aliases_lead_to_allowed_units() -> None:
    """No name leads to a unit that no entity may use, and slips never shadow clean names."""
    assert set(ALIASES.values()) == ALLOWED
    assert set(SLIP_ALIASES.values()) <= ALLOWED
    assert not set(SLIP_ALIASES) & set(ALIASES)
    assert all(alias == alias.lower() for alias in ALIASES)


NAMES = [
    ("kilogramm", "kilogram", "German"),
    ("zoll", "inch", "German"),
    ("pouces", "inch", "French"),
    ("pulgadas", "inch", "Spanish"),
    ("pollici", "inch", "Italian"),
    ("litros", "litre", "Spanish"),
    ("onces", "ounce", "French"),
    ("libras", "pound", "Spanish"),
    ("centimètres", "centimetre", "with accent"),
    ("centimetres", "centimetre", "without accent"),
    ('"', "inch", "symbol"),
    ("#", "pound", "symbol"),
    ("cm3", "millilitre", "cubic centimetre"),
]


@pytest.mark.parametrize(("name", "unit", "reason"), NAMES)
def test_knows_names(name: str, unit: str, reason: str) -> None:
    """Labels' names of units in five languages are known."""
    assert ALIASES[name] == unit, reason


EQUALS = [
    ((1, "foot"), (12, "inch"), "by definition"),
    ((1, "yard"), (3, "foot"), "by definition"),
    ((1, "inch"), (25.4, "millimetre"), "by definition"),
    ((1, "pound"), (16, "ounce"), "by definition"),
    ((1, "ton"), (1000, "kilogram"), "the metric ton"),
    ((1, "gallon"), (128, "fluid ounce"), "US measure"),
    ((1, "gallon"), (231, "cubic inch"), "by definition"),
    ((1, "quart"), (4, "cup"), "US measure"),
    ((1, "cubic foot"), (1728, "cubic inch"), "12 cubed"),
    ((1, "imperial gallon"), (4546.09, "millilitre"), "by definition"),
    ((1, "kilovolt"), (1000, "volt"), "prefix"),
    ((1, "kilowatt"), (1000, "watt"), "prefix"),
]


@pytest.mark.parametrize(("one", "other", "reason"), EQUALS)
def test_converts(one: tuple[float, str], other: tuple[float, str], reason: str) -> None:
    """Dual units are equal in the base unit."""
    assert to_base(*one) == pytest.approx(to_base(*other)), reason


def test_unknown_names_raise() -> None:
    """A misspelt unit or entity is an error that names what is expected."""
    with pytest.raises(ValueError, match="unknown unit 'inches'"):
        to_base(1, "inches")
    with pytest.raises(ValueError, match="unknown entity 'weight'"):
        unit_for("weight", "gram")


PRINTED = [
    ("item_volume", "ounce", "fluid ounce", "on a bottle an ounce is fluid"),
    ("item_volume", "millilitre", "millilitre", "allowed"),
    ("item_weight", "ounce", "ounce", "on a bag it is a weight"),
    ("item_weight", "fluid ounce", None, "no weight"),
    ("height", "foot", "foot", "allowed"),
    ("voltage", "watt", None, "another entity's"),
]


@pytest.mark.parametrize(("entity", "unit", "expected", "reason"), PRINTED)
def test_unit_for_entity(entity: str, unit: str, expected: str | None, reason: str) -> None:
    """An entity prints a label's unit in its own allowed one, or not at all."""
    assert unit_for(entity, unit) == expected, reason


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_unit_can_be_typed(entity: str) -> None:
    """The spellings hold each official name as itself, and no unit of another entity."""
    spellings = list_spellings(entity)
    assert {unit: spellings.get(unit) for unit in ENTITY_UNITS[entity]} == {
        unit: unit for unit in ENTITY_UNITS[entity]
    }
    assert set(spellings.values()) == ENTITY_UNITS[entity]
    assert all(word == " ".join(word.lower().split()) for word in spellings)


def test_strips_accents() -> None:
    """Accents go, letters stay."""
    assert strip_accents("décilitre Größe") == "decilitre Große"
