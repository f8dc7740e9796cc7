"""By what a log and a run of the model are compared: the events, fault reasons and errors that both leave (logs §6)."""

from __future__ import annotations

from collections.abc import Iterable

from tools.traces.trace import TraceEvent

from .log_record import LogRecord

_LOST = "EVTQ overflow"
_NOT_LOGGED = -1
"""The fault recording register of a fault that an overflow lost."""


def of_record(record: LogRecord) -> str:
    """What a record of a log is called; empty if no run leaves such a one, as none of an access without a PASID."""
    fields = record.fields
    match record.kind:
        case "smmuv3-event" if fields.get("SSV"):
            return _event(str(fields["event"]), fields["STALL"] is True)
        case "smmuv3-overflow":
            return f"{fields['queue']} overflow"
        case "smmuv3-cmdq-error":
            return str(fields["error"])
        case "vtd-fault" if fields.get("PASID") is not None:
            return str(fields.get("reason name", ""))
        case "vtd-invalidation-error":
            return str(fields.get("error", ""))
    return ""


def of_run(events: Iterable[TraceEvent]) -> frozenset[str]:
    """What a run of the model leaves in a log."""
    found = set()
    for event in events:
        fields = dict(event.fields)
        match event.kind:
            case "EventQueued":
                found.add(_event(str(fields["id"]), bool(fields["stall"])))
            case "EventLost":
                found.add(_LOST)
            case "CommandQueueStopped":
                found.add(f"CERROR_{fields['error']!s}")
            case "FaultRecorded" if fields["index"] != _NOT_LOGGED:
                found.add(str(fields["reason"]))
            case "AccessAborted" if fields["logged"]:
                found.add(str(fields["reason"]))
            case "QueueStopped":
                found.add(str(fields["error"]).split()[0])  # a log says IQE, and why by a number only
    return frozenset(found)


def _event(name: str, stalled: bool) -> str:
    return f"{name} stalled" if stalled else name
