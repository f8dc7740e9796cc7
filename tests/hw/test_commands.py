"""Commands, bit by bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Asid, Pasid, PhysAddr, Prgi, StreamId, VirtAddr, Vmid
from hw.smmuv3 import commands
from hw.smmuv3.commands import Cerror, Command, CommandError, Opcode, PriResp, ResumeResp, SyncSignal

SID = StreamId(0x12)
P3 = Pasid(3)

GOLDEN = [
    (commands.cfgi_ste(SID), 0x0000_0012_0000_0003, 1),
    (commands.cfgi_cd(SID, P3), 0x0000_0012_0000_3005, 1),
    (commands.cfgi_cd(SID, P3, leaf=False), 0x0000_0012_0000_3005, 0),
    (commands.tlbi_nh_asid(Vmid(2), Asid(7)), 0x0007_0002_0000_0011, 0),
    (commands.tlbi_nh_va(Vmid(0), Asid(7), VirtAddr(0x1234_5000)), 0x0007_0000_0000_0012, 0x1234_5001),
    (commands.atc_inv(SID, P3, VirtAddr(0), 52), 0x0000_0012_0000_3840, 0x34),
    (commands.atc_inv(SID, P3, VirtAddr(0x9000), 0), 0x0000_0012_0000_3840, 0x9000),
    (commands.atc_inv(SID, None, VirtAddr(0), 52), 0x0000_0012_0000_0040, 0x34),
    (commands.pri_resp(SID, P3, Prgi(5), PriResp.SUCCESS), 0x0000_0012_0000_3841, 0x2005),
    (commands.pri_resp(SID, None, Prgi(0x1FF), PriResp.INVALID), 0x0000_0012_0000_0041, 0x11FF),
    (commands.resume(SID, 0xBEEF, ResumeResp.ABORT), 0x0000_0012_0000_2044, 0xBEEF),
    (commands.cmd_sync(), 0x46, 0),
    (commands.cmd_sync(SyncSignal.IRQ), 0x1046, 0),
    (commands.cmd_sync(SyncSignal.IRQ, PhysAddr(0x5010)), 0x1046, 0x5010),
    (Command(opcode=Opcode.ATC_INV, sid=SID, ssid=P3, ssv=True, global_=True), 0x0000_0012_0000_3A40, 0),
    (Command(opcode=Opcode.CFGI_STE_RANGE, range=31), 0x04, 31),
    (Command(opcode=Opcode.TLBI_NSNH_ALL), 0x30, 0),
    (Command(opcode=Opcode.PREFETCH_CFG, sid=SID, ssid=P3, ssv=True), 0x0000_0012_0000_3801, 0),
    (Command(opcode=Opcode.CFGI_CD_ALL, sid=SID), 0x0000_0012_0000_0006, 0),
    (Command(opcode=Opcode.TLBI_NH_ALL, vmid=Vmid(2)), 0x0000_0002_0000_0010, 0),
    (
        Command(opcode=Opcode.TLBI_NH_VAA, vmid=Vmid(2), address=VirtAddr(0x5000), leaf=True),
        0x0000_0002_0000_0013,
        0x5001,
    ),
    (Command(opcode=Opcode.TLBI_EL2_ALL), 0x20, 0),
    (Command(opcode=Opcode.TLBI_EL2_ASID, asid=Asid(7)), 0x0007_0000_0000_0021, 0),
    (Command(opcode=Opcode.TLBI_EL2_VA, asid=Asid(7), address=VirtAddr(0x5000)), 0x0007_0000_0000_0022, 0x5000),
    (Command(opcode=Opcode.TLBI_S12_VMALL, vmid=Vmid(2)), 0x0000_0002_0000_0028, 0),
    (Command(opcode=Opcode.TLBI_S2_IPA, vmid=Vmid(2), address=VirtAddr(0x5000)), 0x0000_0002_0000_002A, 0x5000),
    (commands.stall_term(SID), 0x0000_0012_0000_0045, 0),
    (Command(opcode=Opcode.CMD_SYNC, cs=1, data=0xABCD, address=VirtAddr(0x5014)), 0x0000_ABCD_0000_1046, 0x5014),
]


@pytest.mark.parametrize(("command", "q0", "q1"), GOLDEN)
def test_golden(command: Command, q0: int, q1: int) -> None:
    assert commands.encode(command) == (q0, q1)
    assert commands.decode(q0, q1, hyp=True, stage2=True) == command


def test_every_opcode_has_a_golden_vector() -> None:
    assert {command.opcode for command, _, _ in GOLDEN} == set(Opcode)


@pytest.mark.parametrize(
    ("q0", "q1", "message"),
    [
        (0x00, 0, "opcode 0x0 is unknown"),
        (0xFF, 0, "opcode 0xff is unknown"),
        (0x41, 0x3000, r"PRI_RESP\.resp is 3"),
        (0x3046, 0, r"CMD_SYNC\.cs is 3"),
        (0x40, 53, r"ATC_INV\.size is 53"),
        (0x21, 0, "TLBI_EL2_ASID: this SMMU has no Hyp"),
        (0x28, 0, "TLBI_S12_VMALL: this SMMU has no stage 2"),
    ],
)
def test_what_the_smmu_cannot_execute_is_ill(q0: int, q1: int, message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        commands.decode(q0, q1)
    assert refused.value.cerror is Cerror.ILL


@pytest.mark.parametrize(("q0", "resp"), [(0x44, 0), (0x1044, 1), (0x2044, 2), (0x3044, 1)])
def test_a_resume_with_ac_ignores_ab(q0: int, resp: int) -> None:
    """IHI 0070 §4.7.1; the same bits are illegal in a PRI_RESP (IHI 0070 §4.5.2)."""
    assert commands.decode(q0 | 7 << 32, 9) == commands.resume(StreamId(7), 9, ResumeResp(resp))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4096"):
        commands.encode(commands.tlbi_nh_va(Vmid(0), Asid(1), VirtAddr(0x1008)))
    with pytest.raises(ValueError, match=r"bits \[31:12\]"):
        commands.encode(commands.cfgi_cd(SID, Pasid(1 << 20)))
    with pytest.raises(CommandError, match=r"size is 53"):
        commands.encode(commands.atc_inv(SID, P3, VirtAddr(0), 53))


@given(st.sampled_from(Opcode), st.integers(0, 2**56 - 1), st.integers(0, 2**64 - 1))
def test_whatever_decodes_encodes_to_the_same_meaning(opcode: Opcode, rest: int, q1: int) -> None:
    try:
        command = commands.decode(rest << 8 | opcode, q1, hyp=True, stage2=True)
    except CommandError:
        return
    assert commands.decode(*commands.encode(command), hyp=True, stage2=True) == command
