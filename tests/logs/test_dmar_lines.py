"""Lines of the VT-d driver: faults of three generations, dumps, invalidation errors, page requests."""

from __future__ import annotations

import pytest

from hw.bus import Pasid, Prgi, StreamId, VirtAddr
from hw.pcie.tlp import PageRequest
from hw.vtd import invalidation, prq
from hw.vtd.descriptors import DeviceTlbInvalidate, PageGroupResponse, WaitDescriptor
from hw.vtd.faults import FaultReason
from tools.logs.dmar_fault import LEGACY, reason_name

from .reading import only, read, records, says

GENERATIONS = {
    "[DMA Write] Request device [00:02.0] fault addr fee00000 [fault reason 05] no": ("DMA Write", None, 0xFEE00000, 5),
    "[DMA Read] Request device [00:02.0] PASID ffffffff fault addr 0 [fault reason 02] no": ("DMA Read", None, 0, 2),
    "[DMA Read] Request device [00:02.0] PASID 1f fault addr 5 [fault reason 113] no": ("DMA Read", "0x1f", 5, 0x71),
    "[DMA Read NO_PASID] Request device [0x00:0x02.0] fault addr 0x5 [fault reason 0x07] no": ("DMA Read", None, 5, 7),
    "[DMA Read NO_PASID] Request device [00:02.0] fault addr 0x5 [fault reason 0x01] no": ("DMA Read", None, 5, 1),
    "[DMA Write PASID 0x2] Request device [00:02.0] fault addr 0x5 [fault reason 0x59] no": ("DMA Write", "0x2", 5, 89),
}


@pytest.mark.parametrize(("line", "said"), GENERATIONS.items())
def test_faults_of_each_generation(line: str, said: tuple[str, str | None, int, int]) -> None:
    what, pasid, address, reason = said
    record = only(f"[  1.000001] DMAR: {line}")
    assert record.fields == {
        "device": "00:02.0", "request": what, "PASID": pasid, "address": hex(address), "reason": reason,
        "reason name": reason_name(reason), "text": "no",
    }  # fmt: skip
    assert says(record, "not SVA") == (pasid is None)


def fault(reason: int, pasid: str = "PASID 0x2", address: int = 0x5000) -> str:
    return f"DMAR: [DMA Write {pasid}] Request device [6a:01.3] fault addr {address:#x} [fault reason {reason:#x}] no"


def test_what_reasons_rule_out() -> None:
    gone = only(fault(FaultReason.PASID_ENTRY_P))
    assert says(gone, "not the time between the exit of a process and its unbind", "FPD=1")
    assert says(only(fault(FaultReason.FIRST_LEVEL_P)), "not an unbound PASID")
    assert says(only(fault(FaultReason.CONTEXT_ENTRY_P, "NO_PASID")), "not the tear-down of a PASID")
    assert says(only(fault(0x06, "NO_PASID", 0x40)), "a null buffer, not a race")
    assert not says(only(fault(0x02, "NO_PASID", 0)), "null buffer")
    assert not says(only(fault(FaultReason.PASID_DIRECTORY_ACCESS)), "not a recoverable fault")
    assert says(only(fault(0xF0)), "reason 0xf0 is not known here; the line says: no")


def test_reasons_of_both_modes_have_one_name_each() -> None:
    assert not set(LEGACY) & set(FaultReason)
    assert len({reason_name(number) for number in (*LEGACY, *FaultReason)}) == len(LEGACY) + len(FaultReason)


def test_a_reason_on_a_line_of_its_own() -> None:
    record = only("DMAR:[DMA Read] Request device [00:02.0] fault addr 5000 ", "DMAR:[fault reason 06] no")
    assert (record.lines, record.fields["reason"]) == ([1, 2], 6)
    first, second = records("DMAR:[DMA Read] Request device [00:02.0] fault addr 5000 ", fault(0x71))
    assert first.notes == ["the line with its reason is missing"]
    assert second.fields["reason"] == 0x71


def test_refused_interrupts() -> None:
    record = only("DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index 0x20 [fault reason 0x22] no")
    assert record.title == "IR_ENTRY_P (0x22): interrupt by f0:1f.7, index 0x20"
    assert only("DMAR: INTR-REMAP: Request device [f0:1f.7] fault index 20 [fault reason 34] no").fields["reason"] == 34


def test_the_fault_status() -> None:
    record = only("DMAR: DRHD: handling fault status reg 3")
    assert (record.fields["bits"], record.lost) == ("PFO PPF", -1)
    assert only("DMAR: DRHD: handling fault status reg 102").fields == {"FSTS": "0x102", "FRI": 1, "bits": "PPF"}
    assert says(only("DMAR: DRHD: handling fault status reg 80"), "bits 0x80 of FSTS")


def test_a_dump_is_one_record_that_is_compared_with_its_fault() -> None:
    fault_record, dump = records(
        fault(FaultReason.PASID_ENTRY_P),
        "DMAR: Dump dmar3 table entries for IOVA 0x5000",
        "DMAR: scalable mode root entry: hi 0x0000000102448001, low 0x0000000101b3e001",
        "DMAR: context entry: hi 0x0000000000000000, low 0x0000000101b4d41d",
        "DMAR: pasid dir entry: 0x0000000101b4e001",
        "DMAR: pasid table entry[0]: 0x0000000000000041",
        "DMAR: pasid table entry[1]: 0x0000000000000001",
        "DMAR: pasid table entry[2]: 0x0000000123456000",
        "DMAR: pte level: 4, pte value: 0x0000000000000000",
        "DMAR: PTE not present at level 4",
    )
    assert (fault_record.lines, dump.lines, dump.unit) == ([1], [*range(2, 11)], "dmar3")
    assert says(
        dump,
        "context entry: P=1 FPD=0 DTE=1 PASIDE=1 PRE=1 PDTS=2",
        "the PASID entry: PGTT=0x1 DID=0x1",
        "not an entry that nobody wrote: hardware saw PASID_ENTRY_P clear",
    )
    absent = only("DMAR: Dump dmar3 table entries for IOVA 0x5000", "DMAR: pasid directory entry is not present")
    assert absent.fields["absent"] == "pasid directory entry"


@pytest.mark.parametrize(
    ("line", "fields", "said"),
    [
        (
            "Invalidation Queue Error: Reason 3",
            {"error": "IQE", "Reason": "0x3"},
            "a descriptor that it cannot execute",
        ),
        ("Invalidation Time-out Error: SID 5300", {"error": "ITE", "SID": "0x5300"}, "device 53:00.0"),
        ("Invalidation Time-out Error: SID 0", {"error": "ITE", "SID": "0x0"}, "older units do not tell the device"),
        ("Invalidation Completion Error: SID ffff", {"error": "ICE", "SID": "0xffff"}, "registers could not be read"),
        ("Invalidation Queue Error: Reason f", {"error": "IQE", "Reason": "0xf"}, "registers could not be read"),
    ],
)
def test_invalidation_errors(line: str, fields: dict[str, str], said: str) -> None:
    record = only(f"DMAR: VT-d detected {line}")
    assert record.fields == fields
    assert says(record, said)


def test_descriptors_beside_an_error() -> None:
    q0, q1, *_ = invalidation.encode(DeviceTlbInvalidate(sid=StreamId(0x5300), pfsid=StreamId(0x5300)))
    record = only(f"DMAR: QI PRIOR: Device-TLB Invalidation qw0 = {q0:#x}, qw1 = {q1:#x}")
    assert says(record, "DEVICE_TLB, at PRIOR", "device 53:00.0 forgets everything, every PASID")
    q0, q1, *_ = invalidation.encode(WaitDescriptor(fence=True))
    assert says(only(f"DMAR: QI HEAD: Invalidation Wait qw0 = {q0:#x}, qw1 = {q1:#x}"), "FN=1")
    q0, q1, *_ = invalidation.encode(PageGroupResponse(sid=StreamId(8), prgi=Prgi(5), code=7, pasid=Pasid(1)))
    old = only(f"DMAR: VT-d detected invalid descriptor: low={q0:x}, high={q1:x}")
    assert says(old, "group 5 of device 00:01.0 is answered 0x7, which a device takes as FAILURE")
    assert says(only("DMAR: QI HEAD: UNKNOWN qw0 = 0x0, qw1 = 0x0"), "unknown type 0")
    assert says(only("DMAR: QI HEAD: IOTLB Invalidation qw0 = 0x2, qw1 = 0x0"), "stop at it with IQE")
    assert says(only("DMAR: QI HEAD: x qw0 = 0x8000000000000015, qw1 = 0x0"), "STDATA=0x80000000")
    assert only("DMAR: Invalidation Time-out Error (ITE) cleared").title == "ITE cleared: the queue goes on"


def test_page_requests_that_are_refused() -> None:
    request = PageRequest(
        sid=StreamId(0x50), pasid=Pasid(2), address=VirtAddr(0x7000), read=True, write=False, last=True, prgi=Prgi(3)
    )
    q0, q1, *_ = prq.encode(request)
    record = only(f"DMAR: dmar0: Invalid page request: {q0:08x} {q1:08x}")
    assert record.title.endswith("; device 00:0a.0, PASID 0x2, group 3, Last: R at 0x7000")
    old = only(f"DMAR: dmar0: Page request for invalid PASID 2: {q0:08x} {q1:08x}")
    assert (old.unit, old.fields["PASID"]) == ("dmar0", "0x2")
    assert says(only("DMAR: IOMMU: dmar0: Address is not canonical"), "Address is not canonical")
    assert says(
        only("[  180.187556] Unexpected page request in Privilege Mode"), "not a request that reached a process"
    )
    lost, cleared = records("DMAR: IOMMU: dmar0: PRQ overflow detected", "DMAR: IOMMU: dmar0: PRQ overflow cleared")
    assert (lost.lost, cleared.lost, lost.unit) == (-1, 0, "dmar0")


def test_lines_at_boot_and_unknown_lines() -> None:
    log = read("DMAR: Host address width 46", "DMAR: DRHD base: 0x000000fed90000 flags: 0x0", "DMAR: something new")
    assert (log.boot, log.not_understood, log.records) == (2, 1, [])


def test_lines_between_those_of_a_dump_and_a_dump_without_its_beginning() -> None:
    lines = [
        "DMAR: pasid dir entry: 0x0000000101b4e001",
        "DMAR: Dump dmar3 table entries for IOVA 0x5000",
        "DMAR: pasid dir entry: 0x0000000101b4e003",
        "DMAR: DRHD: handling fault status reg 2",
        "DMAR: PTE not present at level 4",
        "DMAR: pasid dir entry: 0x0000000101b4e000",
    ]
    dumps = [record for record in records(*lines) if record.kind == "vtd-tables"]
    assert [(record.lines, str(record.fields["pasid dir entry"])[-1]) for record in dumps] == [
        ([1], "1"),
        ([2, 3, 5], "3"),
        ([6], "0"),
    ]
    assert says(dumps[2], "the line that such a dump begins with is missing")
