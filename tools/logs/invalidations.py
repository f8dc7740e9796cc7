"""Descriptors of VT-d's queues in a log: what software put into the invalidation queue, and page requests
(vtd-pcie §2.3, §2.4)."""

from __future__ import annotations

from hw.fields import decode_layout
from hw.pcie.tlp import NO_PASID, ResponseCode
from hw.vtd import invalidation, prq
from hw.vtd.descriptors import EVERYTHING, DeviceTlbInvalidate, PageGroupResponse
from hw.vtd.invalidation import LAYOUTS, DescriptorType, Iqei, Qwords

from .log_record import LogRecord, bits_of, function_name, hexadecimal, unknown_bits


def tell_descriptor(record: LogRecord, words: Qwords, where: str) -> None:
    """What four words in the invalidation queue ask for; `where` says what became of them."""
    record.fields["words"] = " ".join(f"{word:#x}" for word in words)
    number = words[0] & 0xF
    decoded = invalidation.decode(words)
    if number not in set(DescriptorType):
        record.title = f"a descriptor of unknown type {number}, {where}"
        record.notes.append("no unit of the scalable mode executes it: it would stop with IQE")
        return
    kind = DescriptorType(number)
    values = decode_layout(LAYOUTS[kind], words[:2])
    record.title = f"{kind.name}, {where}: {bits_of({name: value for name, value in values.items() if name != 'Type'})}"
    record.fields["type"] = kind.name
    record.fields |= {name: hexadecimal(value) for name, value in values.items() if name != "Type"}
    record.notes += unknown_bits(LAYOUTS[kind], words[:2])
    if isinstance(decoded, Iqei):
        record.notes.append("the model's unit would stop at it with IQE: reserved bits, or a reserved granularity")
        return
    if isinstance(decoded, DeviceTlbInvalidate):
        pasid = "every PASID" if decoded.pasid == NO_PASID else f"PASID {decoded.pasid:#x}"
        pages = decoded.pages
        extent = "everything" if pages == EVERYTHING else f"2^{pages.order} pages from {pages.address:#x}"
        record.notes.append(f"device {function_name(decoded.sid)} forgets {extent}, {pasid}")
    if isinstance(decoded, PageGroupResponse):
        known = {code.value: code.name for code in ResponseCode}
        code = known.get(decoded.code, f"{decoded.code:#x}, which a device takes as FAILURE")
        record.notes.append(f"group {decoded.prgi} of device {function_name(decoded.sid)} is answered {code}")


def page_request_words(record: LogRecord, words: tuple[int, ...]) -> None:
    """A page request descriptor, as the driver printed it."""
    request = prq.decode(words)
    record.fields |= {
        "words": " ".join(f"{word:#x}" for word in words[:2]),
        "device": function_name(request.sid),
        "PASID": None if request.pasid == NO_PASID else hexadecimal(request.pasid),
        "PRGI": request.prgi,
        "Last": request.last,
        "R": request.read,
        "W": request.write,
        "X": request.execute,
        "Priv": request.priv,
        "address": hexadecimal(request.address),
    }
    record.notes += unknown_bits(prq.LAYOUT[:2], words[:2])
    rights = "".join(name for name in "RWX" if record.fields[name]) or "nothing"
    pasid = "no PASID" if request.pasid == NO_PASID else f"PASID {request.pasid:#x}"
    record.title += (
        f"; device {function_name(request.sid)}, {pasid}, group {request.prgi}{', Last' if request.last else ''}: "
        f"{rights} at {request.address:#x}"
    )
    if request.is_stop_marker:
        record.rules_out.append("not a request: it is a Stop Marker, which wants no answer (vtd-pcie §1.5)")
