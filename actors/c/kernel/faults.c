/* Faults of the user's instructions (a division by zero, `ud2`, a wild call, no stack left) end its thread, not the
 * process: the signal arrives on a stack of its own and sends the processor back to who resumed the thread. A fault of
 * anybody else goes to who was there before. */
#include "runtime.h"

extern char c_switch_tail[];

enum { ILL = 4, BUS = 7, FPE = 8, SEGV = 11, ON_STACK = 0x08000000, INFO = 4, RESTORER = 0x04000000, NODEFER = 0x40000000 };
enum { RDI = 8, RSP = 15, RIP = 16, REGISTERS = 40 };

struct action {
	void (*handler)(int, void *, void *);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

static const int signals[] = { ILL, BUS, FPE, SEGV };
/* Not among the statics that are put back: the image writes it once. */
static struct action *before_us = (struct action *)(SITES + 4 * PAGE);

static long call_kernel(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

void c_restore(void);
__asm__("c_restore:\n	movl $15, %eax\n	syscall\n");

extern void c_end_turn(void);
extern char c_users[], etext[];
static int is_users(uint64_t pc) { return pc - (uint64_t)c_users < (uint64_t)etext - (uint64_t)c_users; }

static void arrived(int signal, void *info, void *context)
{
	uint64_t *registers = (uint64_t *)((char *)context + REGISTERS), address = ((uint64_t *)info)[2];
	struct thread *t = c_running;

	if (!t) {
		for (int i = 0; i < 4; i++)
			if (signals[i] == signal)
				call_kernel(13, signal, (long)&before_us[i], 0, 8);
		return;
	}
	c_stop.pc = registers[RIP] + 1;
	c_stop.address = address;
	c_stop.size = 0;
	for (int i = 0; i < 4; i++)
		c_stop.detail[i] = 0;
	c_stop.value = signal == FPE ? DIVISION : signal == ILL ? ILLEGAL : BAD_ACCESS;
	if (signal == SEGV && address - (t->low - PAGE) < PAGE)
		c_stop.value = STACK_OVERFLOW;
	else if (registers[RIP] - IMAGE >= 0x8000000) /* a wild call: who called it stands on the stack */
		c_stop.pc = registers[RSP] - t->low < t->high - t->low ? *(uint64_t *)registers[RSP] : 0;
	/* Within the runtime it is told of whoever called it. */
	for (uint64_t at = registers[RSP]; !is_users(c_stop.pc) && at - t->low < t->high - t->low; at += 8)
		if (is_users(*(uint64_t *)at))
			c_stop.pc = *(uint64_t *)at;
	c_end_turn();
	registers[RSP] = (uint64_t)control->scheduler;
	registers[RIP] = (uint64_t)c_switch_tail;
}

/* Once an image is mapped; who was there before the first one is remembered. */
void c_catch(uint64_t is_first)
{
	struct action action = { arrived, ON_STACK | INFO | RESTORER | NODEFER, c_restore, 0 };

	for (int i = 0; i < 4; i++)
		call_kernel(13, signals[i], (long)&action, is_first ? (long)&before_us[i] : 0, 8);
}

/* Once a thread of the operating system that runs C: signals arrive on a stack of their own. */
void c_own_signal_stack(void)
{
	struct {
		uint64_t place;
		int flags;
		uint64_t size;
	} stack = { SITES + 8 * PAGE, 0, 16 * PAGE };

	call_kernel(131, (long)&stack, 0, 0, 0);
}

/* For a function that nobody defines, whose stub knows its name. */
uint64_t c_missing(const char *name, uint64_t pc, const uint64_t *argument)
{
	for (int i = 0; i < 6; i++)
		c_running->argument[i] = argument[i];
	c_stop.address = (uint64_t)name;
	c_stop.size = 0;
	c_stop.pc = pc;
	c_stop.value = MISSING;
	for (int i = 0; i < 4; i++)
		c_stop.detail[i] = 0;
	c_running->user_sp = (uint64_t)argument + 64;
	c_running->wrote = 1;
	c_running->locked.size = 0;
	c_leave(CALL); /* Python says what it is, or that it is a fault */
	return c_running->result;
}

void c_warn_at(const char *text, uint64_t pc) { c_fault(WARNED, (uint64_t)text, 0, pc); }
void c_warn(const char *text) { c_fault(WARNED, (uint64_t)text, 0, PC); }
void c_bug(const char *text) { c_fault(BUG, (uint64_t)text, 0, PC); }
