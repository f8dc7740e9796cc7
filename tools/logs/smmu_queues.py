"""What the SMMUv3 driver says of its queues (smmuv3 §1.5, §1.6, §1.8): commands, errors, time-outs, page requests."""

from __future__ import annotations

import re

from hw.smmuv3 import commands, registers
from hw.smmuv3.commands import Cerror, CommandError

from .log_record import LogRecord, hexadecimal

_GERROR_BITS = (
    ("CMDQ_ERR", registers.CMDQ_ERR),
    ("EVTQ_ABT_ERR", registers.EVTQ_ABT_ERR),
    ("PRIQ_ABT_ERR", registers.PRIQ_ABT_ERR),
    ("MSI_CMDQ_ABT_ERR", registers.MSI_CMDQ_ABT_ERR),
    ("MSI_EVTQ_ABT_ERR", registers.MSI_EVTQ_ABT_ERR),
    ("MSI_PRIQ_ABT_ERR", registers.MSI_PRIQ_ABT_ERR),
    ("MSI_GERROR_ABT_ERR", registers.MSI_GERROR_ABT_ERR),
    ("SFM_ERR", registers.SFM_ERR),
)
_CERROR_TEXTS = {
    "No error": Cerror.NONE,
    "Illegal command": Cerror.ILL,
    "Abort on command fetch": Cerror.ABT,
    "ATC invalidate timeout": Cerror.ATC_INV_SYNC,
}
OVERFLOWS = {
    "EVTQ": "not a lost stall: a full EVTQ drops only events that do not stall (smmuv3 §1.7), so no "
    "access that waits is among the missing",
    "PRIQ": "not a lost answer alone: a refused Last was answered Success by the SMMU itself, other requests went "
    "silently, and nothing is queued until software acknowledges (smmuv3 §1.8)",
}
"""What the overflow of each queue rules out."""


def gerror(record: LogRecord, active: int) -> None:
    """The active errors of GERROR."""
    names = [name for name, bit in _GERROR_BITS if bit.get(active)]
    rest = active & ~sum(bit.mask for _, bit in _GERROR_BITS)
    record.title = f"GERROR: {', '.join(names) or 'no error that is known'}"
    record.fields = {"active": hexadecimal(active), "errors": " ".join(names)}
    if rest:
        record.notes.append(f"bits {rest:#x} of GERROR: no error that is known here stands there")


def command(record: LogRecord, words: list[int]) -> None:
    """A command that was replaced by another, since the queue stopped at it."""
    record.fields = {"words": " ".join(f"{word:#018x}" for word in words)}
    try:
        command = commands.decode(words[0], words[1], hyp=True, stage2=True)
    except CommandError as error:
        record.title = f"a command that the SMMU could not execute, left out: {error}"
        return
    record.fields["command"] = command.opcode.name
    record.title = f"{command.opcode.name}, StreamID {command.sid:#x}: the SMMU could not execute it, left out"
    record.notes.append("its opcode and fields are legal on an SMMU that has Hyp and stage 2")


def page_request(record: LogRecord, match: re.Match[str]) -> None:
    """A page request that the driver printed and did not handle."""
    read, write, last = bool(match["read"]), bool(match["write"]), bool(match["last"])
    ssid, address = int(match["ssid"], 16), int(match["address"], 16)
    record.fields = {
        "SID": hexadecimal(int(match["sid"], 16)),
        "SSID": hexadecimal(ssid),
        "PRGIndex": int(match["prgi"]),
        "Last": last,
        "Priv": not match["un"],
        "R": read,
        "W": write,
        "X": bool(match["execute"]),
        "Address": hexadecimal(address),
    }
    rights = "".join(match[name] for name in ("read", "write", "execute")) or "nothing"
    record.title = (
        f"page request of StreamID {record.fields['SID']}, SSID {record.fields['SSID']}, group {match['prgi']}"
        f"{', Last' if last else ''}: {rights} at {address:#x}"
    )
    if last and not read and not write and ssid:
        record.title += " (a Stop Marker)"
        record.rules_out.append("not a request: a Stop Marker wants no answer and uses no credit (smmuv3 §1.8)")
    record.rules_out.append(
        "not a request that any process got: the driver only prints it, and denies a group with its Last (smmuv3 §0)"
    )
    if not ssid:
        record.rules_out.append("not SVA: the request carried no PASID, or PASID 0")


def cmdq_error(record: LogRecord, cons: int, text: str) -> None:
    """The command queue stopped: the register, and the text that the driver made of it."""
    number = registers.CMDQ_CONS_ERR.get(cons)
    cerror = Cerror(number) if number in set(Cerror) else None
    name = f"CERROR_{cerror.name}" if cerror is not None else f"unknown error {number}"
    record.fields = {"cons": hexadecimal(cons), "ERR": number, "error": name, "text": text}
    record.title = f"the command queue stopped: CMDQ_CONS.ERR says {name}"
    said = _CERROR_TEXTS.get(text)
    if said is not None and said is not cerror:
        record.title = f"the command queue stopped: ERR says {name}, the text CERROR_{said.name}"
        record.notes.append("register and text of one line differ: the line was changed, or put together")
    if Cerror.ATC_INV_SYNC in (said, cerror):
        record.rules_out.append(
            "not a slow SMMU: a device did not complete an ATC_INV; which of the ATC_INVs since the last CMD_SYNC were "
            "done is unknown, so pages freed after them may still be in an ATC (smmuv3 §1.5)"
        )
    if cerror is Cerror.ILL and said in (None, Cerror.ILL):
        record.rules_out.append("not the device: software wrote a command that this SMMU does not know")


def sync_timeout(record: LogRecord, at: int, prod: int, cons: int) -> None:
    """A CMD_SYNC that was waited for too long, and where both indices stood then."""
    record.fields = {"at": hexadecimal(at), "hwprod": hexadecimal(prod), "hwcons": hexadecimal(cons)}
    if cons == at:
        record.title = f"the CMD_SYNC at {at:#x} was reached and not completed: CONS stands on it"
        record.rules_out.append(
            "not a queue that stands still before it: all commands ahead were consumed, and some do not complete, as "
            "an ATC_INV that a device does not answer (smmuv3 §1.5)"
        )
        return
    record.title = f"the CMD_SYNC at {at:#x} was not completed: CONS stands at {cons:#x}"
    if prod == at:
        record.rules_out.append("not a device that does not answer: by PROD the SMMU was not given this CMD_SYNC yet")
