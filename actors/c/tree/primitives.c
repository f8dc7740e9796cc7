/* Primitives that know a kernel's own types: its tasks and its CPUs. Compiled with the headers of the tree that it is for;
 * it announces what it does by itself. */
#include <linux/percpu.h>
#include <linux/sched.h>
#include "../kernel/primitives.h"

#define OURS __attribute__((section(".ours,\"aw\",@nobits#")))

OURS struct task_struct c_tasks[65];
struct task_struct *c_current(void) { return &c_tasks[c_number()]; }
int c_cpu(void) { return c_is_setup() ? 0 : c_number() % NR_CPUS; }

/* Of each CPU its own copy of what lies in the section of such variables. */
enum { PER_CPU_ROOM = 4096 };
OURS static char copies[NR_CPUS][PER_CPU_ROOM] __attribute__((aligned(64)));
extern char __start_c_per_cpu[] __attribute__((weak)), __stop_c_per_cpu[] __attribute__((weak));
unsigned long c_cpu_offset(int cpu) { return (unsigned long)copies[cpu] - (unsigned long)__start_c_per_cpu; }

__attribute__((constructor)) static void fill_copies(void)
{
	unsigned long size = __stop_c_per_cpu - __start_c_per_cpu;

	if (size > PER_CPU_ROOM)
		panic("more variables of each CPU than there is room for");
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		for (unsigned long i = 0; i < size; i++)
			((volatile char *)copies[cpu])[i] = __start_c_per_cpu[i];
}

/* Until somebody has woken the task up, if it has said that it sleeps. */
void schedule(void) { c_wait_for_zero("schedule", (unsigned long)&current->__state, CALLER, STACK_OF_CALLER); }
