"""From the name under which a reply shows its provider to the slug by which a request asks for it."""

import re

# Where the slug is not the name in small letters with hyphens for what parts its words.
_SLUGS = {
    "alibaba cloud": "alibaba",
    "atlascloud": "atlas-cloud",
    "google": "google-vertex",
    "mancer 2": "mancer",
    "moonshot ai": "moonshotai",
    "openinference": "open-inference",
}
_BETWEEN_WORDS = re.compile(r"[\s.]+")


def provider_slug(name: str) -> str:
    """Give the slug of a provider: `moonshotai` for `Moonshot AI`.

    OpenRouter lists no rule; of a provider that is not known here it is the likeliest slug. A slug gives itself.
    """
    known = name.strip().lower()
    return _SLUGS.get(known) or _BETWEEN_WORDS.sub("-", known)
