"""List the words on product images in five languages."""

LANGUAGES = ("en", "de", "fr", "es", "it")

# Entity -> its caption; every caption names this entity and no other.
CAPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "height": {
        "en": ("Height", "H"),
        "de": ("Höhe", "H"),
        "fr": ("Hauteur", "H"),
        "es": ("Altura", "Alto"),
        "it": ("Altezza", "H"),
    },
    "width": {
        "en": ("Width", "W"),
        "de": ("Breite", "B"),
        "fr": ("Largeur", "l"),
        "es": ("Ancho", "Anchura"),
        "it": ("Larghezza", "L"),
    },
    "depth": {
        "en": ("Depth", "D"),
        "de": ("Tiefe", "T"),
        "fr": ("Profondeur", "P"),
        "es": ("Fondo", "Profundidad"),
        "it": ("Profondità", "P"),
    },
    "item_weight": {
        "en": ("Weight", "Net weight"),
        "de": ("Gewicht", "Eigengewicht"),
        "fr": ("Poids", "Poids net"),
        "es": ("Peso", "Peso neto"),
        "it": ("Peso", "Peso netto"),
    },
    "maximum_weight_recommendation": {
        "en": ("Max. load", "Weight capacity", "Load capacity", "Supports up to"),
        "de": ("Max. Belastung", "Tragkraft", "Belastbar bis"),
        "fr": ("Charge max.", "Charge maximale", "Supporte jusqu'à"),
        "es": ("Carga máxima", "Soporta hasta", "Carga máx."),
        "it": ("Portata max.", "Carico massimo", "Supporta fino a"),
    },
    "voltage": {
        "en": ("Voltage", "Rated voltage", "Power supply"),
        "de": ("Spannung", "Nennspannung"),
        "fr": ("Tension", "Alimentation"),
        "es": ("Voltaje", "Tensión"),
        "it": ("Tensione", "Alimentazione"),
    },
    "wattage": {
        "en": ("Power", "Rated power", "Wattage"),
        "de": ("Leistung", "Nennleistung"),
        "fr": ("Puissance", "Puissance nominale"),
        "es": ("Potencia", "Potencia nominal"),
        "it": ("Potenza", "Potenza nominale"),
    },
    "item_volume": {
        "en": ("Capacity", "Volume"),
        "de": ("Fassungsvermögen", "Volumen"),
        "fr": ("Capacité", "Contenance"),
        "es": ("Capacidad", "Volumen"),
        "it": ("Capacità", "Volume"),
    },
}

NET_WEIGHT: dict[str, tuple[str, ...]] = {
    "en": ("NET WT", "Net Wt.", "NET WEIGHT"),
    "de": ("Nettogewicht", "Inhalt", "Füllmenge"),
    "fr": ("Poids net", "POIDS NET"),
    "es": ("Peso neto", "PESO NETO"),
    "it": ("Peso netto", "PESO NETTO"),
}

PRODUCT_SIZE = {
    "en": ("PRODUCT SIZE", "Dimensions", "SIZE GUIDE"),
    "de": ("Abmessungen", "PRODUKTGRÖSSE", "Maße"),
    "fr": ("DIMENSIONS", "Taille du produit"),
    "es": ("MEDIDAS", "Dimensiones"),
    "it": ("DIMENSIONI", "Misure"),
}

SPECIFICATIONS = {
    "en": ("SPECIFICATIONS", "Product parameters", "Technical data"),
    "de": ("Technische Daten", "PRODUKTDATEN"),
    "fr": ("Caractéristiques", "FICHE TECHNIQUE"),
    "es": ("Especificaciones", "DATOS TÉCNICOS"),
    "it": ("Specifiche", "DATI TECNICI"),
}

# Width and height as letters before their numbers.
LETTERS = {
    "en": ("W", "H"),
    "de": ("B", "H"),
    "fr": ("l", "H"),
    "es": ("An", "Al"),
    "it": ("L", "H"),
}

SIDES = {
    "en": ("FRONT", "SIDE"),
    "de": ("VORNE", "SEITE"),
    "fr": ("FACE", "CÔTÉ"),
    "es": ("FRENTE", "LATERAL"),
    "it": ("FRONTE", "LATO"),
}

SLOGANS = {
    "en": ("Easy to clean", "Sturdy and stable", "Perfect gift", "2-year warranty", "Now 30% off"),
    "de": ("Leicht zu reinigen", "Robust und stabil", "2 Jahre Garantie", "Jetzt 30 % günstiger"),
    "fr": ("Facile à nettoyer", "Solide et stable", "Garantie 2 ans", "30 % de remise"),
    "es": ("Fácil de limpiar", "Robusto y estable", "2 años de garantía", "30 % de descuento"),
    "it": ("Facile da pulire", "Robusto e stabile", "2 anni di garanzia", "30 % di sconto"),
}

# Captions of measurements that are never asked for.
NOISE = {"en": "Noise", "de": "Lautstärke", "fr": "Bruit", "es": "Ruido", "it": "Rumore"}
BATTERY = {"en": "Battery", "de": "Akku", "fr": "Batterie", "es": "Batería", "it": "Batteria"}
CABLE = {
    "en": "Cable length",
    "de": "Kabellänge",
    "fr": "Longueur du câble",
    "es": "Longitud del cable",
    "it": "Lunghezza cavo",
}
FREQUENCY = {
    "en": "Frequency",
    "de": "Frequenz",
    "fr": "Fréquence",
    "es": "Frecuencia",
    "it": "Frequenza",
}
TEMPERATURE = {
    "en": "Temperature",
    "de": "Temperatur",
    "fr": "Température",
    "es": "Temperatura",
    "it": "Temperatura",
}
MATERIAL = {
    "en": ("Material", "Steel"),
    "de": ("Material", "Stahl"),
    "fr": ("Matériau", "Acier"),
    "es": ("Material", "Acero"),
    "it": ("Materiale", "Acciaio"),
}
MODEL = {"en": "Model", "de": "Modell", "fr": "Modèle", "es": "Modelo", "it": "Modello"}
SPEED = {"en": "Speed", "de": "Drehzahl", "fr": "Vitesse", "es": "Velocidad", "it": "Velocità"}
# Heading of a line of three numbers: width, depth, height, in this order.
SIZE_ORDER = {
    "en": "W x D x H",
    "de": "B x T x H",
    "fr": "L x P x H",
    "es": "An x F x Al",
    "it": "L x P x H",
}
