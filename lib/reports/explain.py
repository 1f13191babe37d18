"""Explain why a quantity was chosen, in a table."""

import pandas as pd

from lib.extraction import Scan, score_candidates


def explain_candidates(scan: Scan, entity: str) -> pd.DataFrame:
    """List the candidates for a question, the best first, with the reasons for and against each.

    Args:
        scan: The page's quantities.
        entity: The entity asked for.

    Returns:
        One row a candidate: `quantity`, `line` (its line of text), `keywords`, `score` (of the
        rules) and `reason`.

    Raises:
        ValueError: The entity is not one of the challenge's eight.
    """
    scored = score_candidates(scan, entity)
    rows = []
    for i, candidate in enumerate(scored.candidates):
        score, reason = scored.scores[i], scored.tell_reason(i)
        keywords = ", ".join(f"{meaning} ({place})" for place, meaning in candidate.placed.keywords)
        line = candidate.placed.line.text
        rows.append((str(candidate.quantity), line, keywords, score, reason))
    table = pd.DataFrame(rows, columns=["quantity", "line", "keywords", "score", "reason"])
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)
