"""The calls before accesses: what is announced of which instruction, what is refused, and what hides from neither."""

from __future__ import annotations

import pytest

from actors.c.assembly import statements
from actors.c.instrument import UninstrumentedLine, instrument
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
        ("jmp elsewhere", "race.c:7: jmp elsewhere leaves the function"),
        ("lock; 1: incl x", "race.c:7: lock stands apart from its instruction"),
        ("/ a remark", "race.c:7: `/ a remark` is not understood"),
        ("rep/movsb", "race.c:7: `rep/movsb` is not understood"),
        ("movb $'#, x", "race.c:7: a character's number is not supported"),
        ("/* without end", "race.c:7: a comment that does not end is not supported"),
        ('.ascii "without end', "race.c:7: a string that does not end is not supported"),
        ('movl $1, "x y"', 'race.c:7: `movl $1, "x y"` is not understood'),
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/* set */ lock; orl $1, x", ["lock orl $1, x"]),
        ("lock\n/* one\n two */\torl $1, x", ["lock orl $1, x"]),
        ("nop /* # ; */ ; movl $1, (%rdi)", ["nop", "movl $1, (%rdi)"]),
        ("nop # /* \" ' ; nop\nret", ["nop", "ret"]),
        ('.ascii "/* # ; \\" :"; nop', ['.ascii "/* # ; \\" :"', "nop"]),
        ("1: /* a */ f : x = 5; ret", ["1:", "f:", "x = 5", "ret"]),
        ("movl $6/2, %eax", ["movl $6/2, %eax"]),
        ("rep; stosq", ["rep stosq"]),
    ],
)
def test_comments_strings_and_prefixes_are_told_apart(text: str, found: list[str]) -> None:
    assert list(statements(text)) == found


def test_white_space_within_an_operand_says_nothing() -> None:
    text = instrument("\tmovl $1, x + 4( %rsp , %rax, 4 )\n", "race.c")
    assert "\tleaq\tx+4+16(%rsp,%rax,4), %rax" in text.splitlines()


def test_what_is_popped_to_the_stack_goes_to_where_the_stack_is_behind_it() -> None:
    text = instrument("\tpushq 8(%rsp)\n\tpopq 8(%rsp)\n", "race.c")
    assert [line for line in text.splitlines() if "lea" in line] == [
        "\tleaq\t8+16(%rsp), %rax",
        "\tleaq\t8+24(%rsp), %rax",
    ]


def test_a_function_whose_frame_is_known_says_when_it_ends() -> None:
    body = "\tsubq $24, %rsp\n\tmovq %rsp, %rdi\n\tcall g\n\taddq $24, %rsp\n\tret\n"
    text = f"\t.type f, @function\nf:\n{body}\t.size f, .-f\n"
    calls = [line.split()[-1] for line in instrument(text, "race.c").splitlines() if "call" in line]
    assert calls == ["frame_enter", "frame_expose", "g", "frame_shrink", "frame_end"]
    private = text.replace("movq %rsp, %rdi", "movq 8(%rsp), %rdi")
    calls = [line.split()[-1] for line in instrument(private, "race.c").splitlines() if "call" in line]
    assert calls == ["access_read8", "g"]
