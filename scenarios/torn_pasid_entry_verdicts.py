"""What each shipped combination of `torn-pasid-entry` must come to, and why."""

from __future__ import annotations

from .scenario import Expected

MIX = "walker-uses-old-or-new"


def torn(why: str, **params: int | str) -> Expected:
    """Hardware acts on half of each."""
    return Expected(params=params, verdict="violated", oracle=MIX, why=why)


def whole(why: str, **params: int | str) -> Expected:
    """It never does."""
    return Expected(params=params, verdict="holds", why=why)


EXPECTED = (
    torn(
        "VTD-R17: a fetch has read P=1 and the type when all is cleared, and reads 0 for the table it walks",
        change="clear",
        writer="in-place",
    ),
    whole(
        "hardware that reads all 64 bytes at once finds P=0 as soon as anything is cleared",
        change="clear",
        writer="in-place",
        fetch=1,
    ),
    torn(
        "P goes last: whoever fetches between the stores finds P=1 and no table, even at once",
        change="clear",
        writer="in-place-last",
        fetch=1,
    ),
    whole(
        "P goes, every request that fetched it is waited for, and only then the rest", change="clear", writer="right"
    ),
    whole("the same, word by word", change="clear", writer="right", fetch=8),
    whole("the same, whichever piece comes first", change="clear", writer="right", order="any"),
    whole(
        "only the table differs between two processes, and that is one 64-bit store",
        change="process",
        writer="in-place",
    ),
    torn(
        "broken, and made with nobody told: P=1 of before with the table of after or with none",
        change="process",
        writer="no-invalidation",
    ),
    whole("break before make", change="process", writer="right"),
    torn("VTD-R18: the domain of before with the table of after", change="domain", writer="in-place"),
    torn("VTD-R18 needs no fetch in pieces: two stores are two moments", change="domain", writer="in-place", fetch=1),
    torn("VTD-R18: the table and the domain of after with the rest of before", change="domain", writer="in-place-last"),
    whole("break before make", change="domain", writer="right"),
    whole("the same, word by word", change="domain", writer="right", fetch=8),
    torn(
        "breaking is safe and making is not, if hardware may read P last: it has read the table before that was filled",
        change="domain",
        writer="right",
        order="any",
    ),
    whole(
        "a wait between filling and P, as SMMUv3 asks for, needs no promise about the order of reads",
        change="domain",
        writer="settles",
        order="any",
    ),
    torn(
        "the rest goes behind the PASID-cache invalidation, which asks nobody who has looked before: he reads on",
        change="clear",
        writer="tidies-early",
    ),
    whole(
        "if that invalidation waits for them, nothing else is needed between the two",
        change="clear",
        writer="tidies-early",
        pasid_cache="drains",
    ),
    Expected(
        params={"change": "process", "writer": "right", "caching": "on"},
        verdict="violated",
        oracle="no-refusal-after-bind",
        why="who looks between break and make finds P=0, and in caching mode that is remembered when P is set again",
    ),
    whole(
        "so that there bind itself invalidates, once P is set",
        change="process",
        writer="forgets-absence",
        caching="on",
    ),
    torn("VTD-R18: one type with the table of the other", change="identity", writer="in-place"),
    whole("break before make", change="identity", writer="right"),
)
