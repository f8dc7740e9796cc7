"""Oracles are killed by named combinations for the reason that their messages give: small worlds, first of all."""

from __future__ import annotations

import pytest

from scenarios.catalogue import load
from tests.searching import exhaust

KILLS: list[tuple[str, str, dict[str, int | str], str]] = [
    ("event-queue-wakeup", "every-event-is-taken", {"thread": "snapshot"}, "without interrupt"),
    ("queue-ack", "every-overflow-is-acknowledged", {"acknowledge": "never"}, "nobody acknowledged the overflow"),
    ("queue-ack", "groups-are-not-mixed", {"acknowledge": "first"}, "of an earlier group"),
    ("discard-partial", "no-use-after-free", {"discard": "no-unlink"}, "freed at step"),
    ("discard-partial", "no-double-free", {"discard": "no-unlink"}, "double free: page request #0"),
    ("discard-partial", "nothing-leaks", {"discard": "no-free"}, "nobody will ever free it"),
    ("pasid-lifetime", "no-foreign-teardown", {"free": "mmput", "accesses": 0}, "clears the CD of P1"),
    ("pasid-lifetime", "no-pasid-reuse-while-bound", {"free": "mmput", "reuse": "strict"}, "still has it"),
    ("quiet-cd-stalls", "no-stall-after-release", {"quiet": "stall", "accesses": 1}, "after its process died"),
    ("quiet-cd-stalls", "every-stall-is-resumed", {"quiet": "abort", "answer": "twice"}, "was meant for stall"),
    ("sva-unbind-era", "nothing-left-when-unbind-returns", {"era": "5.18", "left": "strict"}, "between EVTQ and"),
    ("sva-unbind-era", "no-cross-binding-fault", {"era": "5.14"}, "handled for mm B under bind2"),
    (
        "sva-unbind-era",
        "cleared-context-stays-clear",
        {"era": "7.1", "trigger": "other", "accesses": 0, "touch": 0, "left": "strict"},
        "valid again for bind1",
    ),
    (
        "sva-unbind-era",
        "no-foreign-teardown",
        {"era": "5.14", "trigger": "other", "accesses": 0, "touch": 0},
        "mm release of bind1 clears the CD of P1, which is bind2's by now",
    ),
    (
        "sva-unbind-era",
        "no-use-after-free",
        {"era": "5.18", "trigger": "other", "accesses": 0, "touch": 0},
        "shared cd of mm A, freed at step",
    ),
    ("pasid-lifetime", "no-use-after-free", {"free": "iommu-mm-mmput", "accesses": 0}, "iommu_mm of mm A, freed at"),
    ("cmdq-error", "no-dma-into-foreign-frame", {"reaction": "ignored"}, "which is free: memory corruption"),
    ("cmdq-issue", "commands-run-as-issued", {"issue": "publish-early", "batches": 1, "synced": 2}, "was issued there"),
    (
        "device-gone",
        "no-success-after-a-time-out",
        {"driver": "aborts-fetched"},
        "#0 timed out, and its submitter hears",
    ),
    (
        "device-gone",
        "no-dma-into-foreign-frame",
        {"driver": "gate-alone", "loss": "reset", "accesses": 1},
        "which is free: memory corruption",
    ),
    ("stall-term", "no-deadlock", {"order": "no-sync"}, "smmu.dma waits since"),
    ("exit-window", "fpd-is-clear-after-unbind", {"fpd": "5.13"}, "FPD of P1 is still set when unbind is over"),
    (
        "exit-window",
        "fpd-is-clear-after-unbind",
        {"fpd": "2026-meant", "traffic": "ats", "order": "O5"},
        "FPD of P1 is set after unbind is over",
    ),
    (
        "exit-window",
        "no-access-after-unbind",
        {"fpd": "forgets-device-tlb", "traffic": "ats", "order": "O2", "rogue": 1, "pri": "off", "watch": "access"},
        "a translated write of P1, sent after unbind, reaches",
    ),
    (
        "prq-drain",
        "every-last-is-answered-once",
        {"driver": "right", "overflow": "silent", "requests": 2, "stop": "B", "priq": 0},
        "hardware loses the Last of g1 (overflow)",
    ),
    ("prq-drain", "credits-come-back", {"driver": "right", "stop": "leaky"}, "credits never came back"),
]
BUDGET = 200


@pytest.mark.parametrize(("scenario", "oracle", "params", "reason"), KILLS)
def test_an_oracle_is_killed_for_its_own_reason(
    scenario: str, oracle: str, params: dict[str, int | str], reason: str
) -> None:
    found = exhaust(load(scenario), params, BUDGET).found
    messages = [each.finding.message for signature, each in found.items() if signature[0] == oracle]
    assert any(reason in message for message in messages), messages


@pytest.mark.parametrize("name", sorted({scenario for scenario, *_ in KILLS}))
def test_every_value_of_the_first_parameter_is_in_the_table(name: str) -> None:
    scenario = load(name)
    variant = next(iter(scenario.params))
    shown = {str(expected.params.get(variant)) for expected in scenario.expected}
    assert shown == {str(value) for value in scenario.params[variant].allowed}
