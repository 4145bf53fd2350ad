"""What a summary must look like, and what is wrong with one that does not."""

import re

HEADINGS = (
    "Goal",
    "Constraints & Preferences",
    "Progress",
    "Key Decisions",
    "Failed Approaches",
    "Next Steps",
    "Critical Context",
)

OWN_PARTS = ("user-messages", "pinned", "answers", "todo", "plan", "evidence", "read-files", "modified-files")
"""What codi itself writes below a summary."""

SPLIT = "\n\n---\n\n**Turn Context (split turn):**\n\n"
NO_HISTORY = "No prior history."

_OWN = re.compile(rf"\s*<({'|'.join(OWN_PARTS)})>\n.*?\n</\1>", re.DOTALL)


def complaint(summary: str, source: str, *, headings: bool = True) -> str | None:
    """What is wrong with a summary of `source`; None for one that serves."""
    if not summary.strip():
        return "it is empty"
    if len(summary) > len(source):
        return "it is longer than what it summarises"
    if headings:
        missing = [
            heading for heading in HEADINGS if not re.search(rf"^#+ *{re.escape(heading)}", summary, re.MULTILINE)
        ]
        if missing:
            return f"it has no heading {', '.join(missing)}"
    return None


def said_by_model(summary: str) -> str:
    """A summary without the parts that codi wrote below it, which are written anew each time."""
    start = min((found.start() for part in OWN_PARTS if (found := re.search(rf"\n<{part}>\n", summary))), default=None)
    if start is None:
        return summary.strip()
    return (summary[:start] + _OWN.sub("", summary[start:])).strip()


def own_part(name: str, text: str) -> str:
    """A part that codi writes, or nothing where there is nothing to say."""
    return f"\n\n<{name}>\n{text}\n</{name}>" if text else ""
