"""Read `X-Robots-Tag` headers: whether a host refuses the use of an image."""

from collections.abc import Iterable

REFUSALS: frozenset[str] = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
VALUED: frozenset[str] = frozenset(
    {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}
)
"""Rules with a colon of their own; any other name before a colon is a robot's."""


def find_refusal(tags: Iterable[str], user_agent: str) -> str:
    """Return the first rule that refuses an image to all robots or to this one, `""` if none does.

    >>> find_refusal(["max-snippet: 5, NoAI"], "me/1")
    'noai'
    >>> find_refusal(["otherbot: noindex, noai", "unavailable_after: 1 Jan 2030"], "me/1")
    ''
    """
    for tag in tags:
        robot = ""
        for part in tag.lower().split(","):
            name, colon, rule = (text.strip() for text in part.rpartition(":"))
            robot = name if colon and name not in VALUED else robot
            if rule in REFUSALS and robot in user_agent.lower():
                return rule
    return ""
