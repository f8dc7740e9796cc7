#ifndef _ASM_PROCESSOR_H
#define _ASM_PROCESSOR_H
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/page.h>
#include <asm/ptrace.h>
struct thread_struct {
	unsigned long unused;
};
#define INIT_THREAD {}
#define __VIRTUAL_MASK_SHIFT 47
#define VA_BITS 48
#define TASK_SIZE (1UL << __VIRTUAL_MASK_SHIFT)
#define TASK_SIZE_MAX TASK_SIZE
#define STACK_TOP TASK_SIZE
#define STACK_TOP_MAX STACK_TOP
#define TASK_UNMAPPED_BASE (TASK_SIZE / 3)
#define KSTK_EIP(task) 0UL
#define KSTK_ESP(task) 0UL
#define task_pt_regs(task) ((struct pt_regs *)0)
struct task_struct;
unsigned long __get_wchan(struct task_struct *task);
#endif
