"""The calls before accesses: what is announced of which instruction, what is refused, and what hides from neither."""

from __future__ import annotations

import pytest

from actors.c.instrument import UninstrumentedLine, instrument
from actors.c.object_code import unannounced
from actors.c.operands import Access, memory_use, split_operands


@pytest.mark.parametrize(
    ("prefix", "instruction", "access", "size"),
    [
        ("", "movl count(%rip), %eax", Access.READ, 4),
        ("", "movb $1, 3(%rdi)", Access.WRITE, 1),
        ("", "movw %ax, (%rdi,%rcx,2)", Access.WRITE, 2),
        ("", "movzbl flags(%rip), %eax", Access.READ, 1),
        ("", "movslq (%rax), %rdx", Access.READ, 4),
        ("", "addl $1, count(%rip)", Access.MODIFY, 4),
        ("lock", "addl $1, count(%rip)", Access.ATOMIC, 4),
        ("lock", "cmpxchgq %rdx, (%rdi)", Access.ATOMIC, 8),
        ("", "xchgl %eax, (%rdi)", Access.ATOMIC, 4),
        ("", "cmpl $0, (%rdi)", Access.READ, 4),
        ("", "testb $4, 1(%rdi)", Access.READ, 1),
        ("", "cmovne (%rdi), %rax", Access.READ, 8),
        ("", "imulq (%rdi), %rax", Access.READ, 8),
        ("", "sete (%rdi)", Access.WRITE, 1),
        ("", "pushq (%rdi)", Access.READ, 8),
        ("", "call *ops(,%rax,8)", Access.READ, 8),
        ("", "shrl (%rdi)", Access.MODIFY, 4),
        ("", "movl %fs:0, %eax", Access.READ, 4),
    ],
)
def test_what_an_instruction_does_with_memory(prefix: str, instruction: str, access: Access, size: int) -> None:
    mnemonic, operands = instruction.split(maxsplit=1)
    use = memory_use(prefix, mnemonic, split_operands(operands))
    assert use is not None
    assert (use.access, use.size) == (access, size)


@pytest.mark.parametrize(
    "instruction", ["leaq 8(%rdi), %rax", "movl %eax, %edx", "jne .L3", "call *%rax", "nopw 0(%rax)"]
)
def test_what_touches_no_memory(instruction: str) -> None:
    mnemonic, operands = instruction.split(maxsplit=1)
    assert memory_use("", mnemonic, split_operands(operands)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("fldl x(%rip)", "race.c:7: fldl: it is not known what it does with memory"),
        ("movl %gs:4, %eax", "race.c:7: movl %gs:4: a segment is not supported"),
        ("btsq %rax, x(%rip)", "race.c:7: btsq %rax, x(%rip): the bit's number says which word it touches"),
        ("lock cmpxchg16b (%rdi)", "race.c:7: cmpxchg16b (%rdi): it touches 16 bytes at once"),
        ("repz cmpsb", "race.c:7: repz cmpsb is not supported"),
        ("pushq 8(%rsp)", "race.c:7: pushq 8(%rsp): the stack pointer moves within it"),
        ("jmp elsewhere", "race.c:7: jmp elsewhere leaves the function"),
        ("loop .L2", "race.c:7: loop is not supported"),
        ("MOV %eax, %edx", "race.c:7: `MOV %eax, %edx` is not understood"),
    ],
)
def test_what_nobody_knows_how_to_announce_is_refused_with_its_line(line: str, reason: str) -> None:
    text = f'\t.file 1 "/somewhere/race.c"\n\t.type f, @function\nf:\n\t.loc 1 7 2\n\t{line}\n\tret\n\t.size f, .-f\n'
    with pytest.raises(UninstrumentedLine) as refused:
        instrument(text, "race.c")
    assert str(refused.value) == reason


def test_statements_on_one_line_are_told_apart() -> None:
    text = instrument("\tmovl x, %eax; 1: lock; incl y ; jmp 1b # back\n", "race.c")
    calls = [line.split()[-1] for line in text.splitlines() if "call" in line]
    assert calls == ["access_read4", "access_atomic4", "block_back"]


def test_a_function_whose_frame_is_known_says_when_it_ends() -> None:
    body = "\tsubq $24, %rsp\n\tmovq %rsp, %rdi\n\tcall g\n\taddq $24, %rsp\n\tret\n"
    text = f"\t.type f, @function\nf:\n{body}\t.size f, .-f\n"
    calls = [line.split()[-1] for line in instrument(text, "race.c").splitlines() if "call" in line]
    assert calls == ["frame_enter", "frame_expose", "g", "frame_end"]
    private = text.replace("movq %rsp, %rdi", "movq 8(%rsp), %rdi")
    calls = [line.split()[-1] for line in instrument(private, "race.c").splitlines() if "call" in line]
    assert calls == ["access_read8", "g"]


_CALL = """   0:	pushf
   1:	push   %rax
   2:	lea    0x0(%rip),%rax        # 9 <f+0x9>
			5: R_X86_64_PC32	x-0x4
   9:	call   e <f+0xe>
			a: R_X86_64_PLT32	access_read4-0x4
   e:	pop    %rax
   f:	popf
"""


@pytest.mark.parametrize(
    ("listing", "hidden"),
    [
        (_CALL + "  10:	mov    0x0(%rip),%eax        # 16 <f+0x16>\n", None),
        ("  10:	mov    0x0(%rip),%eax        # 16 <f+0x16>\n", "10: mov    0x0(%rip),%eax"),
        (_CALL + "  10:	mov    0x8(%rdi),%eax\n", "10: mov    0x8(%rdi),%eax"),
        (_CALL.replace("access_read4", "something") + "  10:	mov    0x0(%rip),%eax\n", "10: mov    0x0(%rip),%eax"),
        ("  10:	mov    0x1234,%eax\n", "10: mov    0x1234,%eax"),
        ("  10:	mov    %fs:0x0,%eax\n", "10: mov    %fs:0x0,%eax"),
        ("  10:	rep stos %rax,%es:(%rdi)\n", "10: rep stos %rax,%es:(%rdi)"),
        ("  10:	call   *0x0(,%rax,8)\n", "10: call   *0x0(,%rax,8)"),
        (
            "  10:	lea    0x8(%rdi),%rax\n  14:	push   %rbx\n  15:	jne    10 <f+0x10>\n  17:	mov    $0x5,%eax\n",
            None,
        ),
    ],
)
def test_an_access_without_its_call_is_found_in_object_code(listing: str, hidden: str | None) -> None:
    assert unannounced(listing) == hidden
