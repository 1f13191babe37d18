"""Questions whose answers are known, for the tests of the model that learns from labels."""

from dataclasses import replace

import numpy as np
import pandas as pd

from lib.extraction.learned.answering import CHOOSE, answer_question, estimate_questions
from lib.extraction.learned.features import FEATURES
from lib.extraction.learned.questions import LabelledRows, digest, make_question, make_rows
from lib.extraction.scan import scan_page
from lib.tests.drawing import page, turned_word, word

SEGMENTS = np.array([[80, 345, 360, 345], [60, 40, 60, 340]], np.float32)
CANDIDATES = 3
FOLDS = 5


def shrink(patch):
    """Let a fit take few trees and folds: what is tested does not depend on their number."""
    for name, value in {
        "training.TREES": 4,
        "training.MIN_LEAF": 4,
        "training.FOLDS": FOLDS,
        "study.FOLDS": 4,
    }.items():
        patch.setattr(f"lib.extraction.learned.{name}", value)


def scan_label(number):
    """Scan a label whose net weight, not its dose, answers; every third has no net weight."""
    dose, net = word(f"Dose {number % 7 + 1} g", 0, 0), word(f"Net weight {number + 100} g", 0, 40)
    return scan_page(page(dose) if number % 3 == 0 else page(dose, net))


def answer_label(number):
    """Give the answer to the question about the weight on a label."""
    return f"{number + 100}.0 gram" if number % 3 else ""


def scan_drawing(number):
    """Scan a drawing with a width and a height; every other product is round."""
    lines = word(f"{number + 5} cm", 200, 350), turned_word(f"{number + 90} cm", 40, 220)
    return scan_page(page(*lines), SEGMENTS, 0.9 if number % 2 else 0.05)


def answer_drawing(number):
    """Give the answer to the question about the depth: round products are as deep as wide."""
    return f"{number + 5}.0 centimetre" if number % 2 else ""


def make_questions(numbers, prefix=""):
    """Make a question about each label and each drawing, two images a group."""
    questions = []
    for number in numbers:
        for kind, entity, scan in (
            ("label", "item_weight", scan_label(number)),
            ("drawing", "depth", scan_drawing(number)),
        ):
            names = f"{prefix}{kind} {number}", f"{prefix}{kind}s {number // 2}"
            questions.append(make_question(scan, entity, *names))
    return questions


def label_questions(numbers, source="dev", prefix=""):
    """Make labelled rows of these questions."""
    truths = [answer(n) for n in numbers for answer in (answer_label, answer_drawing)]
    accepted = [[truth] if truth else [] for truth in truths]
    return make_rows(make_questions(numbers, prefix), accepted, [source] * len(truths))


def make_numbers(count=60, seed=0, noise=0.3):
    """Make labelled rows of numbers alone, in which one feature tells right from wrong.

    Every third image states no answer, of the others one of three candidates is right.

    Args:
        count: Questions, each about an image of its own.
        seed: Seed of the numbers.
        noise: Spread of the feature `score`, which is 1 for right candidates and else 0.
    """
    random = np.random.default_rng(seed)
    stated = np.arange(count) % 3 > 0
    right = np.zeros((count, CANDIDATES), bool)
    right[np.flatnonzero(stated), random.integers(0, CANDIDATES, stated.sum())] = True
    right = right.ravel()
    features = random.normal(size=(len(right), len(FEATURES)))
    score = right + noise * random.normal(size=len(right))
    features[:, FEATURES.index("score")] = score
    best = score.reshape(count, CANDIDATES).argmax(axis=1)
    return LabelledRows(
        entity=(np.arange(count) % 8).astype(np.int8),
        stated=stated,
        required=stated,
        rules=best.astype(np.int16),
        image=np.array([digest(f"image {i}") for i in range(count)], np.uint64),
        group=np.array([digest(f"group {i}") for i in range(count)], np.uint64),
        source=np.ones(count, np.int8),
        question=np.repeat(np.arange(count, dtype=np.int32), CANDIDATES),
        measure=np.tile(np.arange(CANDIDATES, dtype=np.int16), count),
        right=right,
        score=score.astype(np.float32),
        features=features.astype(np.float32).round(4),
    )


def pair_images(rows):
    """Give every two questions one image and the same features, and each pair a random answer.

    Nothing but having seen the other question of a pair helps to answer one.
    """
    twins = np.arange(len(rows)) // 2 * 2
    places = (rows.starts[twins][:, None] + np.arange(CANDIDATES)).ravel()
    features = np.random.default_rng(1).normal(size=rows.features.shape).astype(np.float32)
    return replace(
        rows,
        stated=rows.stated[twins],
        required=rows.required[twins],
        image=rows.image[twins],
        group=np.zeros(len(rows), np.uint64),
        right=rows.right[places],
        features=features[places],
    )


def make_samples(numbers, split="train"):
    """Make samples of a run and their scans, one for each question of `make_questions`."""
    questions = make_questions(numbers)
    truths = [answer(n) for n in numbers for answer in (answer_label, answer_drawing)]
    samples = pd.DataFrame(
        {
            "sample_id": range(len(questions)),
            "index": [str(i) for i in range(len(questions))],
            "image_link": [f"{one.image}.jpg" for one in questions],
            "sha256": [one.image for one in questions],
            "group_id": [one.group for one in questions],
            "entity_name": [one.entity for one in questions],
            "entity_value": truths,
            "has_truth": True,
            "split": split,
        }
    )
    return samples, {one.image: one.scan for one in questions}


def answer_questions(questions, model, method="learned"):
    """Answer questions as a run does."""
    estimates = estimate_questions(questions, model)
    pairs = zip(questions, estimates, strict=True)
    return [answer_question(*pair, CHOOSE[method]) for pair in pairs]
