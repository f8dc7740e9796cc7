"""`stopmarker campaign export`: the findings of a campaign for other tools."""

from __future__ import annotations

from pathlib import Path

from tools.campaign.export import junit, sarif
from tools.campaign.store import open_to_read
from tools.terminal.exits import Exit, Refusal
from tools.terminal.output import Output
from tools.traces.store import write_bytes

FORMS = {"junit": junit, "sarif": sarif}


def main(out: Output, *, directory: str, form: str, output: str | None) -> Exit:
    """Write the file, or print it."""
    with open_to_read(Path(directory)) as store:
        text = FORMS[form](store)
    out.document("campaign-export", {"form": form, "file": output, "text": text if output is None else None})
    if output is not None:
        try:
            write_bytes(Path(output), text.encode())
        except OSError as error:
            raise Refusal(f"write {output}: {error.strerror or error}") from None
        out.lines([f"Written: {output}"])
    elif not out.as_json:
        out.text(text)
    return Exit.NOTHING_VIOLATED
