"""Find keywords that name a quantity, in English, German, French, Spanish and Italian."""

import re
from dataclasses import dataclass

from lib.quantities import strip_accents

# Meaning -> what labels print for it, comma-separated. Collected from
# product images and shops' attribute names in the five languages.
MEANINGS: dict[str, str] = {
    "width": (
        "width, wide, breite, breit, largeur, larg, ancho, anchura, ancha, larghezza, breedte, 宽, "
        "幅"
    ),
    "height": (
        "height, hight, heigth, tall, high, höhe, hoch, hauteur, haut, alto, altura, altezza, "
        "hoogte, 高, 高さ"
    ),
    "depth": (
        "depth, deep, tiefe, tief, profondeur, prof, profundidad, fondo, profondità, diepte, "
        "深, 奥行"
    ),
    "length": (
        "length, lenght, long, länge, lang, longueur, longitud, largo, lunghezza, lungo, lengte, 长"
    ),
    "thickness": "thickness, thick, dicke, stärke, épaisseur, espesor, grosor, spessore, 厚",
    "diameter": "diameter, diam, dia, ø, φ, durchmesser, diamètre, diámetro, 直径",
    "net weight": (
        "net weight, net wt, netwt, net w, nett weight, poids net, peso neto, peso netto, "
        "nettogewicht, n w, nw, 净重"
    ),
    "net content": (
        "net, netto, net content, net contents, contenido neto, contenuto netto, contenu net, "
        "nettoinhalt, füllmenge, inhalt, contents, 内容量"
    ),
    "gross weight": (
        "gross weight, gross wt, gross, poids brut, peso bruto, peso lordo, bruttogewicht, brutto, "
        "g w, gw, shipping weight, package weight, drained weight"
    ),
    "weight": (
        "item weight, product weight, unit weight, weight, weighs, weighing, wt, gewicht, poids, "
        "peso, 重量"
    ),
    "maximum load": (
        "max load, maximum load, load capacity, weight capacity, maximum weight, max weight, "
        "weight limit, load bearing, bearing capacity, bearing weight, bears, bear, bearing, holds "
        "up to, hold up to, holds, hold, supports up to, support up to, supports, support, up to, "
        "withstand, withstands, loading, load, max user weight, user weight, traglast, tragkraft, "
        "belastbar, belastbarkeit, belastung, max belastung, nutzlast, charge maximale, charge "
        "max, capacité de charge, poids maximal, supporte, carga máxima, capacidad de carga, "
        "soporta, peso máximo, portata, carico massimo, capacità di carico, peso massimo, "
        "sopporta, regge, working load limit, wll, swl, static load, dynamic load, weight rating, "
        "rated load, 承重, 耐荷重"
    ),
    "volume": (
        "volume, capacity, capacité, contenance, volumen, fassungsvermögen, kapazität, capacidad, "
        "capacità, fluid, liquid, 容量"
    ),
    "voltage": (
        "voltage, volts, input, rated voltage, supply voltage, power supply, spannung, "
        "nennspannung, tension, voltaje, tensión, tensione, alimentazione, netzspannung, 电压, 電圧"
    ),
    "power": (
        "wattage, power, rated power, power consumption, leistung, nennleistung, "
        "leistungsaufnahme, puissance, potencia, potenza, consumption, 功率, 消費電力"
    ),
    "output": "output, ausgang, sortie, salida, uscita",
    "equivalent": (
        "equivalent, equiv, replaces, replacement for, equal to, entspricht, équivalent, "
        "equivalente, equivale, incandescent"
    ),
    "serving": (
        "serving, servings, per serving, dose, dosage, portion, per tablet, per capsule, capsules, "
        "tablet, protein, proteins, protéines, eiweiß, fat, fats, carb, carbs, carbohydrate, "
        "sugar, sugars, sodium, fibre, fiber, vitamin, vitamins, calcium, cholesterol, iron, "
        "potassium, magnesium, zinc, caffeine, per 100, omega, collagen, creatine, cbd, daily "
        "value"
    ),
    "package": "package, packaging, box size, carton, package size, verpackung, emballage, paquete",
    "inner": (
        "inner, inside, interior, internal, innen, intérieur, opening, seat, between, shelf, "
        "drawer, each"
    ),
    "size": (
        "size, dimension, dimensions, product size, größe, maße, abmessungen, taille, tamaño, "
        "medidas, dimensiones, misure, dimensioni, measures"
    ),
}


@dataclass(frozen=True)
class Keyword:
    """A keyword in a text: its meaning and its span."""

    meaning: str
    start: int
    end: int


# One token is a run of letters or a single Chinese or Japanese character.
_TOKEN = re.compile(r"[\u3040-\u9fff]|[^\W\d_\u3040-\u9fff]+|[øφ]")


def _split(text: str) -> list[re.Match[str]]:
    """Split a text into lower-case tokens without accents; positions refer to the text."""
    lowered = strip_accents(text.lower())
    return list(_TOKEN.finditer(lowered if len(lowered) == len(text) else text.lower()))


def _index_keywords() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Index the keywords by their first token, the longest first."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for meaning, line in MEANINGS.items():
        for word in line.split(", "):
            tokens = tuple(token[0] for token in _split(word))
            index.setdefault(tokens[0], []).append((tokens, meaning))
    return {first: sorted(words, key=lambda w: -len(w[0])) for first, words in index.items()}


_KEYWORDS = _index_keywords()


def find_keywords(text: str) -> list[Keyword]:
    """Find the keywords of a text, in order; the longest if several begin at one position.

    >>> [keyword.meaning for keyword in find_keywords("Poids net: 500 g, Höhe 12 cm")]
    ['net weight', 'height']
    >>> find_keywords("Whole milk")
    []
    """
    tokens = _split(text)
    found: list[Keyword] = []
    for i, token in enumerate(tokens):
        if token[0] not in _KEYWORDS or (found and token.start() < found[-1].end):
            continue
        for words, meaning in _KEYWORDS[token[0]]:
            span = tokens[i : i + len(words)]
            if tuple(token[0] for token in span) == words:
                found.append(Keyword(meaning, token.start(), span[-1].end()))
                break
    return found
