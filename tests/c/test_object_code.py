"""The comparison of assembled code: what is lost, not supported or not announced is found, whatever else is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from actors.c.instrument import instrument
from actors.c.object_code import HiddenInstruction, look_through
from actors.c.operands import is_determined

from .racing import COMPILERS, needs_c

CODE = """	.text
f:	leaq	8(%rsp), %rcx
	movl	x(%rip), %eax
	.p2align 4
.L2:	movl	$msg, x+4(,%rax,8)
	lock; addl	$1, 8(%rsp,%rax)
	popq	8(%rsp)
	rep stosl
	decl	%eax
	jne	.L2
	call	*table(,%rax,8)
	jmp	.L3
	.p2align 4
.L3:	movabsl	x, %eax
	call	f
	movq	$f, %rdi
	ret
	.section .text.cold,"ax"
g:	call	f
	movw	$5, y(%rip)
	ret
"""


def listing(folder: Path, text: str) -> str:
    source, made = folder / "code.s", folder / "code.o"
    source.write_text(text, encoding="utf-8")
    subprocess.run([COMPILERS[0], "-c", str(source), "-o", str(made)], check=True)
    words = ["objdump", "-dlr", "--no-show-raw-insn", str(made)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def complaint(folder: Path, plain: str, announced: str) -> str:
    with pytest.raises(HiddenInstruction) as hidden:
        look_through(listing(folder, plain), listing(folder, announced))
    return str(hidden.value).partition(": ")[2]


@needs_c
def test_code_with_all_its_calls_is_the_compilers(tmp_path: Path) -> None:
    look_through(listing(tmp_path, CODE), listing(tmp_path, instrument(CODE, "race.c")))


@needs_c
@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("\tdecl\t%eax\n", "", "`dec %eax` is lost"),
        ("\tdecl\t%eax\n", "\tdecl\t%ecx\n", "`dec %eax` is lost"),
        ("y(%rip)\n\tret\n", "y(%rip)\n\tret\n\tnop\n\tret\n", "`ret`: the compiler wrote no such instruction"),
        ("\tjne\t.L2\n", "\tjne\t.L2+0x16\n", "`jne` goes to the middle of an instruction"),
        ("\tjmp\t.L3\n", "\tjmp\t.L2\n", "`jmp` is lost"),
        ("leaq\tx(%rip), %rax", "leaq\ty(%rip), %rax", "`mov (%rip),%eax` (x): nothing announces its access"),
        ("leaq\t8+24(%rsp)", "leaq\t8+16(%rsp)", "`pop 0x8(%rsp)`: nothing announces its access"),
        ("call\taccess_write2", "call\tsomething", "`movw $0x5,(%rip)` (y): nothing announces its access"),
        ("string_rep_stosl", "string_rep_stosq", "`rep stos %eax,%es:(%rdi)` is lost"),
        ("\tmovq\t$f, %rdi\n", "\tmovq\t$f+1, %rdi\n", "`mov $0x0,%rdi` (.text) goes to the middle of an instruction"),
    ],
)
def test_what_is_another_than_the_compilers_is_found(tmp_path: Path, written: str, instead: str, told: str) -> None:
    announced = instrument(CODE, "race.c")
    assert announced.count(written) == 1
    assert complaint(tmp_path, CODE, announced.replace(written, instead)) == told


@needs_c
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (".byte 0xc7, 0x07, 1, 0, 0, 0", "`movl $0x1,(%rdi)`: nothing announces its access"),
        (".byte 0x0f, 0x31", "`rdtsc` is not supported: it may do more than it says"),
        ("jmp .+4; .byte 0x48, 0xb8; movl $1, %eax; nop; nop; nop", "`jmp` goes to the middle of an instruction"),
    ],
)
def test_instructions_that_are_written_as_numbers_are_found(tmp_path: Path, line: str, told: str) -> None:
    code = f"\t{line}\n\tret\n"
    assert complaint(tmp_path, code, code) == told


@pytest.mark.parametrize(
    "text",
    [
        "maskmovq %mm1,%mm0", "maskmovdqu %xmm1,%xmm0", "movq %rax,%mm0", "xlat %ds:(%rbx)", "rdtsc",
        "rdtscp", "rdpid %rax", "rdrand %eax", "rdseed %eax", "rdpmc", "cpuid", "xgetbv", "syscall",
        "sysenter", "int $0x80", "int3", "in (%dx),%al", "out %al,(%dx)", "hlt", "iret", "xbegin 6", "xend",
        "xabort $0x1", "monitor %rax,%ecx,%edx", "mwait %eax,%ecx", "rdfsbase %rax", "wrgsbase %rax",
        "swapgs", "mov %fs,%eax", "mov %cr3,%rax", "push %fs", "fld1", "emms", "popf", "pushf", "cli", "sti",
        "std", "lods %ds:(%rsi),%al", "clflush (%rdi)", "movnti %eax,(%rdi)", "vzeroupper",
        "movaps %xmm0,(%rdi)", "loop 10", "jrcxz 10", "enter $0x8,$0x0", "lret", "lahf",
        "ds movl $0x1,(%rdi)", "(bad)", "cmpxchg16b (%rdi)", "movl $0x1,%fs:(%rdi)", "umonitor %rdi",
        "rep movsb %ds:(%rsi),%es:(%rdi)", "sgdt (%rax)",
    ],
)  # fmt: skip
def test_what_does_more_than_it_says_is_not_supported(text: str) -> None:
    assert not is_determined(text)


@pytest.mark.parametrize(
    "text",
    [
        "mov 0x0(%rip),%eax", "movabs $0x1234567890,%r11", "movzbl (%rdi),%eax", "movslq %edi,%rax",
        "cmovle %eax,%edx", "setne %r8b", "jnae", "ja", "jmp *%rax", "notrack jmp *%rax",
        "lock cmpxchg %rdx,(%rdi)", "xchg %al,(%rdi)", "cltq", "cqto", "cltd", "cwtl", "cbtw",
        "shrd $0x3,%rdx,%rax", "repz ret", "ud2", "pause", "mfence", "prefetcht0 (%rdi)",
        "imul $0x18,%rax,%rax", "bswap %eax", "push $0x1", "leave", "endbr64", "popcnt %rax,%rax", "sar %eax",
    ],
)  # fmt: skip
def test_what_compilers_write_is_supported(text: str) -> None:
    assert is_determined(text)
