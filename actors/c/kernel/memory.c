/* The heap, and what works on ranges of memory. Each thread has an arena of its own, from which it only takes: so an
 * address depends on no schedule, to allocate is no step, and what was freed is never handed out again. */
#include "runtime.h"
#include "primitives.h"

enum { RED_ZONE = 16, POISON = 0x5a };

OURS static uint64_t counts[SLOTS];
OURS uint64_t c_used[SLOTS];

static struct object *objects(uint64_t arena) { return (struct object *)OBJECTS + arena * MOST_OBJECTS; }

struct object *c_object(uint64_t address)
{
	uint64_t arena = (address - HEAP) / ARENA, low = 0, high;
	struct object *all = objects(arena);

	if (address < HEAP || arena >= SLOTS)
		return NULL;
	high = counts[arena];
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (all[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* The gap behind an object counts as its end, so that who runs over it is told of which. */
	return low && address < all[low - 1].start + all[low - 1].size + RED_ZONE ? &all[low - 1] : NULL;
}

void c_reset_heap(void)
{
	for (uint64_t arena = 0; arena < SLOTS; arena++) {
		uint64_t *at = (uint64_t *)(HEAP + arena * ARENA), *end = (uint64_t *)(HEAP + arena * ARENA + c_used[arena]);

		while (at < end)
			*at++ = 0;
		counts[arena] = c_used[arena] = 0;
	}
}

/* A number for an object that was allocated there and begins there, for as long as the process lives: it is part of keys,
 * and never shown. Beyond MOST_SITES there is none. */
static uint64_t site(uint64_t pc, uint64_t start)
{
	struct { uint64_t pc, start; } *sites = (void *)SITES;
	uint64_t i = 0;

	while (i < MOST_SITES && sites[i].pc && (sites[i].pc != pc || sites[i].start != start))
		i++;
	if (i < MOST_SITES) {
		sites[i].pc = pc;
		sites[i].start = start;
	}
	return i + 1;
}

static void *allocate(uint64_t size, int byte, uint64_t pc)
{
	uint64_t arena = c_number(), start = HEAP + arena * ARENA + c_used[arena];
	struct object *object = &objects(arena)[counts[arena]];

	if (size > ARENA || c_used[arena] + size + 2 * RED_ZONE > ARENA || counts[arena] == MOST_OBJECTS)
		c_fault(EXHAUSTED, 0, size, pc);
	counts[arena]++;
	c_used[arena] += ((size + 15) & -16UL) + RED_ZONE;
	/* What the slot held in an earlier run is mostly the same. */
	if (object->made != pc || object->start != start || !object->site)
		object->site = site(pc, start);
	*object = (struct object){ .start = start, .size = size, .made = pc, .site = object->site };
	for (uint64_t i = 0; i < size; i++)
		((uint8_t *)start)[i] = byte;
	return (void *)start;
}

void *c_allocate(uint64_t size, int is_zero, int sleeps, uint64_t pc)
{
	if (sleeps)
		c_may_sleep(pc);
	return allocate(size, is_zero ? 0 : POISON, pc);
}

void *c_kmalloc(size_t size, unsigned flags) { return c_allocate(size, 0, flags & 1, PC); }
void *c_kzalloc(size_t size, unsigned flags) { return c_allocate(size, 1, flags & 1, PC); }

void c_free(uint64_t address, uint64_t pc, uint64_t sp)
{
	struct object *object = c_object(address);

	if (!address)
		return;
	if (!object || object->start != address)
		c_fault(BAD_FREE, address, 0, pc);
	c_running->user_sp = sp;
	c_begin_step("free", pc);
	c_range(address, object->size ? object->size : 1, WRITES);
	c_take_step(NULL, 0, 0);
	if (object->freed)
		c_fault(DOUBLE_FREE, address, 0, pc);
	c_frees(address, object->size, pc);
	object->freed = pc;
	object->freed_by = c_number();
}

void c_kfree(const void *pointer) { c_free((uint64_t)pointer, PC, SP); }

uint64_t c_size(uint64_t address)
{
	struct object *object = c_object(address);

	return object && object->start == address ? object->size : 0;
}

/* Whether an object is still there: what nobody can reach at the end has leaked. */
uint64_t c_live(uint64_t arena, uint64_t number, struct object *found)
{
	while (number < counts[arena] && objects(arena)[number].freed)
		number++;
	if (number < counts[arena])
		*found = objects(arena)[number];
	return number < counts[arena] ? number + 1 : 0;
}

/* The words of some memory that may point into the heap: at most as many as there is room for. */
uint64_t c_pointers(uint64_t from, uint64_t to, uint64_t *found, uint64_t room)
{
	uint64_t count = 0;

	for (from = (from + 7) & -8UL; from + 8 <= to && count < room; from += 8)
		if (*(uint64_t *)from - HEAP < SLOTS * ARENA)
			found[count++] = *(uint64_t *)from;
	return count;
}

/* Ranges go piece by piece, in words where both ends are aligned to them. */
static uint64_t piece(uint64_t a, uint64_t b, uint64_t left)
{
	return left >= 8 && !((a | b) & 7) ? 8 : left >= 4 && !((a | b) & 3) ? 4 : 1;
}

static void put(uint64_t address, uint64_t size, uint64_t value)
{
	for (uint64_t i = 0; size == 1 && i < 1; i++)
		*(volatile uint8_t *)address = value;
	if (size == 2)
		*(volatile uint16_t *)address = value;
	if (size == 4)
		*(volatile uint32_t *)address = value;
	if (size == 8)
		*(volatile uint64_t *)address = value;
}

static void copy_piece(uint64_t to, uint64_t from, uint64_t size, uint64_t pc, uint64_t sp)
{
	uint64_t value;

	c_touch(READ | PIECE, from, size, pc, sp);
	value = c_load(from, size);
	c_touch(WRITE | PIECE, to, size, pc, sp);
	put(to, size, value);
}

void *memcpy(void *to, const void *from, size_t size)
{
	uint64_t a = (uint64_t)to, b = (uint64_t)from;

	for (uint64_t n; size; a += n, b += n, size -= n) {
		n = piece(a, b, size);
		copy_piece(a, b, n, PC, SP);
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint64_t a = (uint64_t)to + size, b = (uint64_t)from + size;

	if (to <= from || (const char *)to >= (const char *)from + size)
		return memcpy(to, from, size);
	for (uint64_t n; size; size -= n) {
		n = piece(a, b, size);
		a -= n, b -= n;
		copy_piece(a, b, n, PC, SP);
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint64_t a = (uint64_t)to, value = (uint8_t)byte * 0x0101010101010101UL;

	for (uint64_t n; size; a += n, size -= n) {
		n = piece(a, a, size);
		c_touch(WRITE | PIECE, a, n, PC, SP);
		put(a, n, value);
	}
	return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
	const uint8_t *a = one, *b = other;

	for (; size; a++, b++, size--) {
		uint8_t x, y;

		c_touch(READ, (uint64_t)a, 1, PC, SP);
		x = *a;
		c_touch(READ, (uint64_t)b, 1, PC, SP);
		y = *b;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	for (;; length++) {
		c_touch(READ, (uint64_t)text + length, 1, PC, SP);
		if (!text[length])
			return length;
	}
}

/* `rep movs` and `rep stos`, element by element: the registers of the user are where the stub has put them. */
struct registers {
	uint64_t rbp, r11, r10, r9, r8, rdi, rsi, rdx, rcx, pc, rax;
};

__attribute__((used)) static void move(struct registers *r, uint64_t size, uint64_t repeat)
{
	for (uint64_t n = repeat ? r->rcx : 1; n; n--, r->rdi += size, r->rsi += size)
		copy_piece(r->rdi, r->rsi, size, r->pc, (uint64_t)(&r->rax + 2));
	r->rcx = repeat ? 0 : r->rcx;
}

__attribute__((used)) static void fill(struct registers *r, uint64_t size, uint64_t repeat)
{
	for (uint64_t n = repeat ? r->rcx : 1; n; n--, r->rdi += size) {
		c_touch(WRITE | PIECE, r->rdi, size, r->pc, (uint64_t)(&r->rax + 2));
		put(r->rdi, size, r->rax);
	}
	r->rcx = repeat ? 0 : r->rcx;
}

#define STRING(name, function, size, repeat)                                                                             \
	__asm__(".globl string_" #name "\n"                                                                               \
		"string_" #name ":\n"                                                                                     \
		"	pushq %rcx; pushq %rdx; pushq %rsi; pushq %rdi; pushq %r8; pushq %r9; pushq %r10; pushq %r11; pushq %rbp\n" \
		"	movq %rsp, %rdi; movl $" #size ", %esi; movl $" #repeat ", %edx; movq %rsp, %rbp\n"               \
		"	andq $-16, %rsp\n"                                                                                \
		"	call " #function "\n"                                                                             \
		"	movq %rbp, %rsp\n"                                                                                \
		"	popq %rbp; popq %r11; popq %r10; popq %r9; popq %r8; popq %rdi; popq %rsi; popq %rdx; popq %rcx\n"  \
		"	ret\n");
#define STRINGS(suffix, size)                                                                            \
	STRING(rep_movs##suffix, move, size, 1) STRING(once_movs##suffix, move, size, 0)                  \
	STRING(rep_stos##suffix, fill, size, 1) STRING(once_stos##suffix, fill, size, 0)
STRINGS(b, 1) STRINGS(w, 2) STRINGS(l, 4) STRINGS(q, 8)

/* Whole frames of the world's memory, all zeros, as `code.attach(pool=…)` has set them aside. */
void *dma_alloc_coherent(void *device, size_t size, uint64_t *handle, unsigned flags)
{
	uint64_t found;

	(void)device;
	if (flags & 1)
		c_may_sleep(PC);
	c_running->user_sp = SP;
	c_begin_step("allocate DMA memory", PC);
	c_range((uint64_t)&c_used[SETUP], 8, WRITES); /* stands for the pool, which all share */
	c_take_step(NULL, 0, 0);
	found = control->pool;
	if (size > control->pool_end - found)
		c_fault(EXHAUSTED, 0, size, PC);
	control->pool += (size + PAGE - 1) & -PAGE;
	c_touch(WRITE, (uint64_t)handle, 8, PC, SP);
	*handle = found - DMA;
	return (void *)found;
}
