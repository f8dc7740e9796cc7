/* The runtime inside an image of a user's C: coroutines, and the stop before each access that others could see.
 *
 * Nothing of Python's is ever on these stacks. Python calls `c_resume` with the number of a thread: it makes the access
 * that it stopped at, and runs until the next one or its end. What it then is about to do is one number, by which Python
 * knows the step again. */
#include "runtime.h"

void c_switch(void **from, void *to);
__asm__(".text\n"
	".globl c_switch, c_switch_tail\n"
	"c_switch:\n"
	"	pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"c_switch_tail:\n"
	"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
	/* What Python has left in the other registers must not come into a thread's state. */
	"	xorl %eax, %eax; xorl %ecx, %ecx; xorl %edx, %edx; xorl %esi, %esi; xorl %edi, %edi\n"
	"	xorl %r8d, %r8d; xorl %r9d, %r9d; xorl %r10d, %r10d; xorl %r11d, %r11d\n"
	"	ret\n");

static void store(uint64_t address, uint64_t size, uint64_t value);

uint64_t c_number(void) { return c_running - c_threads; }
int c_is_setup(void) { return c_running == &c_threads[SETUP]; }

/* What the instruction behind an access finds may be older than what is there: then that is put back when it is done. */
static void take_back(void)
{
	struct seen *instead = &control->instead;

	if (!instead->size)
		return;
	control->stored = c_load(instead->address, instead->size);
	store(instead->address, instead->size, instead->value);
	instead->size = 0;
}

static void put_older(uint64_t address, uint64_t size)
{
	if (!control->has_older)
		return;
	control->has_older = 0;
	control->instead = (struct seen){ address, size, c_load(address, size) };
	store(address, size, control->older);
}

/* A barrier. */
void c_barrier(uint64_t kind)
{
	if (control->weak && !c_is_setup())
		control->barriers |= kind;
}

/* Says what the next access is beyond a plain one. */
void c_order(uint64_t order) { c_running->order = control->weak ? order : 0; }

void c_leave(uint64_t kind)
{
	control->key = kind;
	c_running->blocks = 0;
	take_back();
	c_switch(&c_running->sp, control->scheduler);
}

static void begin(void)
{
	struct thread *t = c_running;
	uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) = (void *)t->function;

	t->result = function(t->argument[0], t->argument[1], t->argument[2], t->argument[3], t->argument[4], t->argument[5]);
	if (t->held)
		c_fault(STILL_HELD, 0, 0, t->held);
	c_leave(DONE);
}

static void clear(uint64_t from, uint64_t to)
{
	__asm__ volatile("rep stosq" : : "D"(from), "c"((to - from) / 8), "a"(0) : "memory");
}

/* Have a thread begin at `function`; its arguments are put into `argument` before. Its stack is all zeros, as what a
 * run reads must not depend on the run before. */
void c_begin(uint64_t number, uint64_t function)
{
	struct thread *t = &c_threads[number];
	uint64_t argument[6];
	uint64_t *top;

	for (int i = 0; i < 6; i++)
		argument[i] = t->argument[i];
	clear((uint64_t)t, (uint64_t)(t + 1));
	for (int i = 0; i < 6; i++)
		t->argument[i] = argument[i];
	t->low = STACKS + number * STACK + PAGE;
	t->high = STACKS + (number + 1) * STACK;
	clear(t->low, t->high);
	clear(SHADOW + number * (STACK / 8), SHADOW + (number + 1) * (STACK / 8));
	top = (uint64_t *)t->high;
	*--top = 0; /* where `begin` would return to: the stack is aligned as at a call */
	*--top = (uint64_t)begin;
	t->sp = top - 6;
	t->function = function;
	t->user_sp = t->high;
}

static uint64_t resumed(uint64_t number)
{
	c_running = &c_threads[number];
	c_switch(&control->scheduler, c_running->sp);
	c_running = NULL;
	return control->key;
}

/* For Python, without a header of its: the step of a thread is taken, and what it does next is a number. */
void *c_resume(void *self, void *number)
{
	long (*as_long)(void *) = control->python[0];
	void *(*from_number)(unsigned long long) = control->python[1];

	(void)self;
	return from_number(resumed(as_long(number)));
}

/* For Python: whether a thread that waits can go. */
void *c_ready(void *self, void *number)
{
	long (*as_long)(void *) = control->python[0];
	void *(*from_truth)(long) = control->python[2];
	struct thread *t = &c_threads[as_long(number)];

	(void)self;
	return from_truth(t->until(t));
}

/* Call a function with its arguments in the slot of the set-up: it makes no stop, but is checked. */
uint64_t c_call(uint64_t function)
{
	c_begin(SETUP, function);
	return resumed(SETUP);
}

/* A signal ended the turn of the thread. */
void c_end_turn(void)
{
	control->key = FAULT;
	c_running->blocks = 0;
	take_back();
}

void c_fault(enum fault what, uint64_t address, uint64_t size, uint64_t pc)
{
	struct object *object = c_object(address);

	c_stop.address = address;
	c_stop.size = size;
	c_stop.pc = pc;
	c_stop.value = what;
	c_stop.detail[0] = object ? object->made : 0;
	c_stop.detail[1] = object ? object->freed : 0;
	c_stop.detail[2] = object ? object->freed_by : 0;
	c_stop.detail[3] = object ? object->start : 0;
	c_leave(FAULT);
	__builtin_unreachable();
}

uint64_t c_load(uint64_t address, uint64_t size)
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

/* Of each word of a stack: has its address been given away (EXPOSED), and has the frame ended since (ENDED). */
enum { PRIVATE, EXPOSED, ENDED };
static uint8_t *shadow(uint64_t address) { return (uint8_t *)(SHADOW + (address - STACKS) / 8); }
static int is_stack(uint64_t address) { return address - STACKS < SLOTS * STACK; }
static int is_own(uint64_t address) { return address - c_running->low < c_running->high - c_running->low; }
int c_is_static(uint64_t address) { return address - IMAGE < control->end - IMAGE; }
static int is_heap(uint64_t address) { return address - HEAP < SLOTS * ARENA; }
static int is_dma(uint64_t address) { return address - DMA < control->dma; }

/* Stubs of what no file defines, and may be a variable. */
extern char c_places[], c_stub[];
static int is_missing(uint64_t address) { return address - (uint64_t)c_places < (uint64_t)c_stub - (uint64_t)c_places; }

static enum fault wrong(uint64_t address, uint64_t size, int is_write)
{
	struct object *object;

	if (is_missing(address))
		return MISSING_VARIABLE;
	if (c_is_static(address) && c_is_static(address + size - 1))
		return is_write && address < control->written ? CONSTANT : ~0u;
	if (is_heap(address)) {
		object = c_object(address);
		if (!object || address + size > object->start + object->size)
			return OUT_OF_BOUNDS;
		return object->freed ? USE_AFTER_FREE : ~0u;
	}
	if (is_stack(address)) {
		if (is_own(address))
			return address < c_running->user_sp ? USE_AFTER_RETURN : ~0u;
		if (*shadow(address) == EXPOSED)
			return ~0u;
		return *shadow(address) == ENDED ? USE_AFTER_RETURN : WILD_POINTER;
	}
	if (is_dma(address) && is_dma(address + size - 1))
		return ~0u;
	return address < PAGE ? NULL_POINTER : WILD_POINTER;
}

/* Whoever waits for something that is gone may go on, to be told so. */
int c_may_touch(uint64_t address, uint64_t size)
{
	return !is_heap(address) || wrong(address, size, 0) == ~0u;
}

void c_check(uint64_t address, uint64_t size, int is_write, uint64_t pc)
{
	enum fault what = wrong(address, size, is_write);

	if (what != ~0u)
		c_fault(what, address, size, pc);
}

static uint64_t site_of(uint64_t address)
{
	struct object *object = is_heap(address) ? c_object(address) : NULL;

	c_stop.site = object ? object->made : 0;
	c_stop.start = object ? object->start : 0;
	return object ? object->site : 0;
}

/* A thread has read: it is remembered until it writes or comes back to where it was (see `c_block`). */
static void remember(struct thread *t, uint64_t address, uint64_t size)
{
	for (uint64_t i = 0; i < t->reads; i++)
		if (t->seen[i].address == address && t->seen[i].size == size) {
			if (t->seen[i].value != c_load(address, size))
				t->wrote = 1;
			return;
		}
	if (t->reads == RANGES) {
		t->wrote = 1;
		return;
	}
	t->seen[t->reads++] = (struct seen){ address, size, c_load(address, size) };
}

/* A locked instruction that has changed nothing, such as a failed compare and exchange, has only read. */
static void settle(struct thread *t)
{
	if (!t->locked.size)
		return;
	if (c_load(t->locked.address, t->locked.size) == t->locked.value)
		remember(t, t->locked.address, t->locked.size);
	else
		t->wrote = 1;
	t->locked.size = 0;
}

void c_touch(uint64_t kind, uint64_t address, uint64_t size, uint64_t pc, uint64_t sp)
{
	struct thread *t = c_running;
	uint64_t site, code, lock, mark = kind & ~3UL, order = t->order;

	kind &= 3;
	t->user_sp = sp;
	if (kind == ATOMIC || mark & MARKED)
		t->order = 0; /* plain accesses, such as what a compiler spills, may come between */
	else
		order = 0;
	settle(t);
	if (is_own(address)) {
		if (address < sp)
			c_fault(USE_AFTER_RETURN, address, size, pc);
		if (*shadow(address) != EXPOSED && *shadow(address + size - 1) != EXPOSED)
			return;
	} else if (c_is_static(address)) {
		if (address < control->written && kind == READ && !is_missing(address))
			return;
	} else if (!is_heap(address) && !is_stack(address) && !is_dma(address)) {
		c_fault(address + size < PAGE || address < PAGE ? NULL_POINTER : WILD_POINTER, address, size, pc);
	}
	if (kind == READ && (lock = c_lock_made_at(address, size))) {
		c_begin_step("look at lock", pc);
		c_range(lock, LOCK_BYTES, WRITES); /* in the eyes of whoever takes it or gives it back */
		c_range(address, size, READS);
		c_take_step(NULL, 0, 0);
	} else if (!c_is_setup()) {
		site = site_of(address);
		code = size == 8 ? 3 : size >> 1;
		c_stop.kind = kind;
		c_stop.address = address;
		c_stop.size = size;
		c_stop.pc = pc;
		c_stop.mark = t->exempt ? EXEMPT : kind == ATOMIC ? mark | MARKED : mark; /* of an instruction always the same, but in data_race() */
		c_stop.count = c_stop.waits = c_stop.is_idle = 0;
		c_stop.verb = NULL;
		c_stop.order = order;
		c_leave(site > MOST_SITES || t->exempt || control->weak ? OTHER : address << 33 | (pc - IMAGE & 0xfffff) << 13 | code << 11 | kind << 9 | site);
	}
	put_older(address, size);
	c_check(address, size, kind != READ, pc);
	c_leaves_lock(address, size, kind != READ, pc);
	if (kind == READ)
		remember(t, address, size);
	else if (kind == ATOMIC)
		t->locked = (struct seen){ address, size, c_load(address, size) };
	else
		t->wrote = 1;
}

void c_begin_step(const char *verb, uint64_t pc)
{
	c_stop.verb = verb;
	c_stop.pc = pc;
	c_stop.kind = c_stop.address = c_stop.size = c_stop.value = c_stop.mark = c_stop.order = c_stop.expected = 0;
	c_stop.count = c_stop.waits = c_stop.is_idle = 0;
}

void c_range(uint64_t address, uint64_t size, uint64_t use)
{
	site_of(address);
	c_stop.range[c_stop.count++] = (struct range){ address, size, use, c_stop.site, c_stop.start };
}

void c_take_step(int (*until)(struct thread *), uint64_t a, uint64_t b)
{
	struct thread *t = c_running;

	t->locked.size = 0;
	t->until = until;
	t->until_a = a;
	t->until_b = b;
	t->wrote = 1;
	c_stop.waits = until != NULL;
	c_stop.site = c_stop.start = 0;
	if (!c_is_setup())
		c_leave(OTHER);
	else if (until && !until(t))
		c_fault(WOULD_WAIT, a, 0, c_stop.pc);
	t->until = NULL;
	t->holder = 0;
}

/* Called by the stubs with registers and flags kept. */
__attribute__((used)) static void before(uint64_t address, uint64_t size, uint64_t kind, uint64_t pc, uint64_t sp,
					    uint64_t accumulator)
{
	uint64_t seen, mark = kind & MARKED;

	c_stop.expected = accumulator; /* of a compare and exchange */
	if ((kind & 3) != MODIFY) {
		c_touch(kind, address, size, pc, sp);
		return;
	}
	/* A plain read-modify-write is two accesses. The instruction behind this makes both at once, so it is given what
	 * its read has seen. */
	c_touch(READ | mark, address, size, pc, sp);
	seen = c_load(address, size);
	c_touch(WRITE | mark, address, size, pc, sp);
	store(address, size, seen);
}

/* The address of a place in the running function's frame is taken: from here on others may come to the whole frame. What
 * was there in an earlier frame becomes another thing, which is a step. */
__attribute__((used)) static void expose(uint64_t pc, uint64_t sp)
{
	struct thread *t = c_running;
	uint64_t end = t->frame[t->depth - 1], low = t->lowest[t->depth - 1];

	if (low && low <= sp)
		return;
	low = low ? low : end;
	t->user_sp = sp;
	c_begin_step("make frame", pc);
	c_range(sp, low - sp, WRITES);
	c_take_step(NULL, 0, 0);
	for (uint64_t at = sp; at < low; at += 8)
		*shadow(at) = EXPOSED;
	t->lowest[t->depth - 1] = sp;
}

__attribute__((used)) static void enter(uint64_t pc, uint64_t sp)
{
	struct thread *t = c_running;

	if (t->depth == FRAMES)
		c_fault(STACK_OVERFLOW, sp, 0, pc);
	t->frame[t->depth] = sp;
	t->lowest[t->depth++] = 0;
}

/* The stack is about to end at `sp`: what others do later with a place in the frame that is below is a use after return.
 * This comes before the instruction, as what is below the stack pointer is overwritten. */
__attribute__((used)) static void shrink(uint64_t pc, uint64_t sp)
{
	struct thread *t = c_running;
	uint64_t low = t->lowest[t->depth - 1];

	if (!low || low >= sp)
		return;
	if (sp > t->frame[t->depth - 1])
		sp = t->frame[t->depth - 1];
	c_begin_step("leave frame", pc);
	c_range(low, sp - low, WRITES);
	c_take_step(NULL, 0, 0);
	c_frees(low, sp - low, pc);
	for (uint64_t at = low; at < sp; at += 8)
		*shadow(at) = ENDED;
	t->lowest[t->depth - 1] = sp < t->frame[t->depth - 1] ? sp : 0;
}

/* A function returns whose frame others may know. */
__attribute__((used)) static void end_frame(uint64_t pc, uint64_t sp)
{
	if (c_running->lowest[--c_running->depth])
		c_fault(STACK_OVERFLOW, sp, 0, pc); /* its stack was given up in a way that nobody has noticed */
}

/* The stack pointer has got a value that no constant says: it must be within the stack. */
__attribute__((used)) static void moved(uint64_t pc, uint64_t sp)
{
	if (sp - c_running->low > c_running->high - c_running->low)
		c_fault(STACK_OVERFLOW, sp, 0, pc);
}

static int has_changed(struct thread *t)
{
	for (uint64_t i = 0; i < t->reads; i++)
		if (!c_may_touch(t->seen[i].address, t->seen[i].size) ||
		    c_load(t->seen[i].address, t->seen[i].size) != t->seen[i].value)
			return 1;
	return 0;
}

/* A jump back. A thread that is there again with the same registers and the same stack, has written nothing since and
 * read the same, will do the same again: it waits until what it has read changes. One that never stops is a finding. */
__attribute__((used)) static void block(uint64_t pc, uint64_t sp, uint64_t saved)
{
	struct thread *t = c_running;
	uint64_t state = 1469598103934665603UL;

	if (++t->blocks > 1000000)
		c_fault(ENDLESS, 0, 0, pc);
	settle(t);
	if (!t->wrote && t->reads && !c_is_setup()) {
		for (uint64_t *word = (uint64_t *)saved; word < (uint64_t *)t->high; word++)
			state = (state ^ *word) * 0x9e3779b97f4a7c15UL, state ^= state >> 29;
		if (t->at == pc && t->state == state) {
			t->user_sp = sp;
			c_begin_step("spin", pc);
			for (uint64_t i = 0; i < t->reads; i++)
				c_range(t->seen[i].address, t->seen[i].size, READS);
			c_take_step(has_changed, 0, 0);
			pc = 0;
		}
	} else {
		pc = 0;
	}
	t->at = pc;
	t->state = state;
	t->wrote = t->reads = 0;
}

/* A stub keeps registers and flags; the instruction before which it is called has put %rax and the flags away. */
#define SAVED "	pushq %rcx; pushq %rdx; pushq %rsi; pushq %rdi; pushq %r8; pushq %r9; pushq %r10; pushq %r11; pushq %rbp\n"
#define BACK                                     \
	"	movq %rsp, %rbp\n"               \
	"	andq $-16, %rsp\n"
#define RESTORED                                 \
	"	movq %rbp, %rsp\n"               \
	"	popq %rbp; popq %r11; popq %r10; popq %r9; popq %r8; popq %rdi; popq %rsi; popq %rdx; popq %rcx\n" \
	"	ret\n"
#define STUB(name, kind, size)                   \
	__asm__(".globl access_" #name #size "\n" \
		"access_" #name #size ":\n" SAVED \
		"	movq %rax, %rdi\n"        \
		"	movl $" #size ", %esi\n"  \
		"	movl $" #kind ", %edx\n"  \
		"	movq 72(%rsp), %rcx\n"    \
		"	movq 80(%rsp), %r9\n"     \
		"	leaq 96(%rsp), %r8\n" BACK \
		"	call before\n" RESTORED);
#define STUBS(size)                                                                                          \
	STUB(read, 0, size) STUB(write, 1, size) STUB(atomic, 2, size) STUB(compare, 66, size) STUB(modify, 3, size)                  \
	STUB(marked_read, 4, size) STUB(marked_write, 5, size) STUB(marked_modify, 7, size)
STUBS(1) STUBS(2) STUBS(4) STUBS(8)

__asm__(".globl frame_expose, frame_shrink, frame_enter, frame_end, block_back, stack_moved\n"
	"frame_expose:\n" SAVED
	"	movq 72(%rsp), %rdi; leaq 96(%rsp), %rsi\n" BACK
	"	call expose\n" RESTORED
	"frame_shrink:\n" SAVED
	"	movq 72(%rsp), %rdi; movq %rax, %rsi\n" BACK
	"	call shrink\n" RESTORED
	"frame_enter:\n" SAVED
	"	movq 72(%rsp), %rdi; leaq 96(%rsp), %rsi\n" BACK
	"	call enter\n" RESTORED
	"frame_end:\n" SAVED
	"	movq 72(%rsp), %rdi; leaq 96(%rsp), %rsi\n" BACK
	"	call end_frame\n" RESTORED
	"stack_moved:\n" SAVED
	"	movq 72(%rsp), %rdi; leaq 96(%rsp), %rsi\n" BACK
	"	call moved\n" RESTORED
	"block_back:\n" SAVED
	"	movq 72(%rsp), %rdi; leaq 96(%rsp), %rsi\n"
	"	pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
	"	movq %rsp, %rdx\n"
	"	leaq 40(%rsp), %rbp\n"
	"	andq $-16, %rsp\n"
	"	call block\n"
	"	leaq -40(%rbp), %rsp\n"
	"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx\n"
	RESTORED);
