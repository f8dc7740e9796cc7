"""How much a search has probably not seen, from what it has seen only once or twice; with the error of that guess.

The estimators want schedules that were drawn independently and alike, as a random walk draws them. Other strategies
break that, so what is said is a bound and a rate, and never a percentage of a whole that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from .coverage import PAIR, SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """What counts of incidence say about the pairs that were not met.

    `unseen` is Chao's lower bound (Chao 1987: incidence form, "Chao2") and `error` its standard error. `rate` is the
    Good-Turing estimate of new pairs in the next schedule and `rate_error` its standard error (after Esty 1983). Pairs
    that come together, as those of one new order do, make both errors too small.
    """

    samples: int
    """Schedules that were looked at."""
    seen: int
    once: int
    """Pairs that exactly one schedule had."""
    twice: int
    unseen: float
    error: float
    rate: float
    rate_error: float

    def __str__(self) -> str:
        """One line for a status."""
        text = f"{self.seen} pairs seen in {self.samples:,} schedules"
        if not self.samples:
            return text
        if not self.once:
            return f"{text}, each more than once: none is known to be missing"
        found = f"{text}, {self.once} of them in only one: at least {self.unseen:.1f} +- {self.error:.1f} more exist"
        wait = f"{1 / self.rate:,.0f}" if self.rate < 1 else "1"
        return f"{found}, a new one is due in about {wait} schedules, if all are drawn alike"


def saturation(counts: Mapping[str, int]) -> Saturation:
    """Of the counts of a `Coverage`, or of any sum of such."""
    incidence = [count for key, count in counts.items() if key.startswith(PAIR)]
    return estimate(counts.get(SAMPLES, 0), len(incidence), incidence.count(1), incidence.count(2))


def estimate(samples: int, seen: int, once: int, twice: int) -> Saturation:
    """Of the number of schedules, and of the pairs met at all, in exactly one, and in exactly two of them."""
    share = (samples - 1) / samples if samples else 0.0
    if twice:
        ratio = once / twice
        unseen = share * once * once / (2 * twice)
        variance = twice * (share / 2 * ratio**2 + share**2 * ratio**3 + share**2 / 4 * ratio**4)
    else:  # the bias-corrected form, which needs no pair that was seen twice
        unseen = share * once * (once - 1) / 2
        variance = share * once * (once - 1) / 2 + share**2 * once * (2 * once - 1) ** 2 / 4
        if seen + unseen:
            variance -= share**2 * once**4 / (4 * (seen + unseen))
    rate, rate_error = (once / samples, sqrt(once + 2 * twice) / samples) if samples else (0.0, 0.0)
    return Saturation(
        samples=samples,
        seen=seen,
        once=once,
        twice=twice,
        unseen=unseen,
        error=sqrt(max(variance, 0.0)),
        rate=rate,
        rate_error=rate_error,
    )
