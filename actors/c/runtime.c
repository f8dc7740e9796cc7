/* The runtime inside an image of a user's C: coroutines, and the stop before each access that others could see.
 *
 * Freestanding: no library, and nothing of Python's is ever on these stacks. Python calls `c_resume` with the number of a
 * thread; it runs until its next stop, which says what it is about to do, or until its end. */
#include <stddef.h>
#include <stdint.h>

enum kind { READ, WRITE, ATOMIC, CALL, DONE };
enum { THREADS = 64 };

struct thread {
	void *sp;
	uint64_t low, high; /* its stack */
	int shared;         /* whether a stranger has touched it */
	uint64_t function, argument[6], result;
};

struct stop {
	uint64_t kind, address, size, pc, marks, argument[6];
};

struct thread c_threads[THREADS];
struct thread *c_running;
struct stop c_stop;
static void *scheduler;

void c_switch(void **from, void *to);
__asm__(".text\n"
	".globl c_switch\n"
	"c_switch:\n"
	"	pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
	"	ret\n");

static void leave(uint64_t kind)
{
	c_stop.kind = kind;
	c_switch(&c_running->sp, scheduler);
}

static void begin(void)
{
	struct thread *t = c_running;
	uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) = (void *)t->function;

	t->result = function(t->argument[0], t->argument[1], t->argument[2], t->argument[3], t->argument[4], t->argument[5]);
	leave(DONE);
}

void c_begin(uint64_t number, uint64_t function, uint64_t low, uint64_t high)
{
	struct thread *t = &c_threads[number];
	uint64_t *top = (uint64_t *)high;

	*--top = 0; /* where `begin` would return to: the stack is aligned as at a call */
	*--top = (uint64_t)begin;
	top -= 6;
	for (int i = 0; i < 6; i++)
		top[i] = 0;
	t->sp = top;
	t->low = low;
	t->high = high;
	t->shared = 0;
	t->function = function;
}

uint64_t c_resume(uint64_t number)
{
	c_running = &c_threads[number];
	c_switch(&scheduler, c_running->sp);
	c_running = NULL;
	return c_stop.kind;
}

static int is_private(uint64_t address)
{
	return !c_running || (address >= c_running->low && address < c_running->high && !c_running->shared);
}

static void stop(uint64_t kind, uint64_t address, uint64_t size, uint64_t pc)
{
	c_stop.address = address;
	c_stop.size = size;
	c_stop.pc = pc;
	leave(kind);
}

static uint64_t load(uint64_t address, uint64_t size)
{
	switch (size) {
	case 1: return *(volatile uint8_t *)address;
	case 2: return *(volatile uint16_t *)address;
	case 4: return *(volatile uint32_t *)address;
	default: return *(volatile uint64_t *)address;
	}
}

static void store(uint64_t address, uint64_t size, uint64_t value)
{
	switch (size) {
	case 1: *(volatile uint8_t *)address = value; break;
	case 2: *(volatile uint16_t *)address = value; break;
	case 4: *(volatile uint32_t *)address = value; break;
	default: *(volatile uint64_t *)address = value; break;
	}
}

/* Called by the stubs below with registers and flags kept. */
__attribute__((used)) static void before(uint64_t address, uint64_t size, uint64_t kind, uint64_t pc)
{
	uint64_t seen;

	if (is_private(address))
		return;
	if (kind != 3) {
		stop(kind, address, size, pc);
		return;
	}
	/* A plain read-modify-write is two accesses. The instruction behind this makes both at once, so it is given what
	 * its read has seen. */
	stop(READ, address, size, pc);
	seen = load(address, size);
	stop(WRITE, address, size, pc);
	store(address, size, seen);
}

#define STUB(name, kind, size)                                                                                              \
	__asm__(".globl access_" #name #size "\n"                                                                            \
		"access_" #name #size ":\n"                                                                                  \
		"	pushq %rcx; pushq %rdx; pushq %rsi; pushq %rdi; pushq %r8; pushq %r9; pushq %r10; pushq %r11; pushq %rbp\n" \
		"	movq %rax, %rdi\n"                                                                                   \
		"	movl $" #size ", %esi\n"                                                                             \
		"	movl $" #kind ", %edx\n"                                                                             \
		"	movq 72(%rsp), %rcx\n"                                                                               \
		"	movq %rsp, %rbp\n"                                                                                   \
		"	andq $-16, %rsp\n"                                                                                   \
		"	call before\n"                                                                                       \
		"	movq %rbp, %rsp\n"                                                                                   \
		"	popq %rbp; popq %r11; popq %r10; popq %r9; popq %r8; popq %rdi; popq %rsi; popq %rdx; popq %rcx\n"     \
		"	ret\n");
#define STUBS(size) STUB(read, 0, size) STUB(write, 1, size) STUB(atomic, 2, size) STUB(modify, 3, size)
STUBS(1) STUBS(2) STUBS(4) STUBS(8)

void __tsan_init(void) {}
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void) {}
#define MARKS(n)                                                          \
	void __tsan_read##n(void *p) { (void)p; }                         \
	void __tsan_write##n(void *p) { (void)p; }                        \
	void __tsan_volatile_read##n(void *p) { (void)p; }                \
	void __tsan_volatile_write##n(void *p) { (void)p; }
MARKS(1) MARKS(2) MARKS(4) MARKS(8) MARKS(16)
void __tsan_read_range(void *p, size_t n) { (void)p; (void)n; }
void __tsan_write_range(void *p, size_t n) { (void)p; (void)n; }
#define ATOMICS(bits, type)                                                                              \
	type __tsan_atomic##bits##_load(const volatile type *p, int o)                                   \
	{                                                                                                \
		(void)o;                                                                                 \
		if (!is_private((uint64_t)p)) stop(READ, (uint64_t)p, bits / 8, (uint64_t)__builtin_return_address(0)); \
		return *p;                                                                               \
	}                                                                                                \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int o)                                \
	{                                                                                                \
		(void)o;                                                                                 \
		if (!is_private((uint64_t)p)) stop(WRITE, (uint64_t)p, bits / 8, (uint64_t)__builtin_return_address(0)); \
		*p = v;                                                                                  \
	}                                                                                                \
	type __tsan_atomic##bits##_fetch_sub(volatile type *p, type v, int o)                            \
	{                                                                                                \
		type before = *p;                                                                        \
		(void)o;                                                                                 \
		if (!is_private((uint64_t)p)) stop(ATOMIC, (uint64_t)p, bits / 8, (uint64_t)__builtin_return_address(0)); \
		before = *p;                                                                             \
		*p = before - v;                                                                         \
		return before;                                                                           \
	}
ATOMICS(32, uint32_t) ATOMICS(64, uint64_t)
