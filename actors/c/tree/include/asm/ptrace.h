#ifndef _ASM_PTRACE_H
#define _ASM_PTRACE_H
struct pt_regs {
	unsigned long ip, sp;
};
#define user_mode(registers) 0
#define instruction_pointer(registers) ((registers)->ip)
#define user_stack_pointer(registers) ((registers)->sp)
#define profile_pc(registers) instruction_pointer(registers)
#define arch_has_single_step() 0
#endif
