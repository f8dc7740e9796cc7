/* What the parts of the runtime inside an image of a user's C say to each other. Freestanding: there is no library. */
#ifndef STOPMARKER_RUNTIME_H
#define STOPMARKER_RUNTIME_H
#include <stddef.h>
#include <stdint.h>

/* Where everything lies; the same numbers stand in image.py. */
#define IMAGE 0x20000000UL
#define STACKS 0x30000000UL
#define STACK 0x10000UL
#define PAGE 0x1000UL
#define SHADOW 0x38000000UL
#define OBJECTS 0x39000000UL
#define SITES 0x3b000000UL
#define CONTROL 0x3c000000UL
#define TURNS_OF_THREADS 0x3c010000UL
#define HEAP 0x40000000UL
/* The world's memory: what devices and IOMMU see. */
#define DMA 0x50000000UL
#define ARENA 0x100000UL
enum { THREADS = 64, SETUP = THREADS, SLOTS, RANGES = 24, FRAMES = 256, MOST_OBJECTS = 4096, MOST_SITES = 510 };

/* What an access does; and how it is seen by who looks for data races: it is plain, unless one of these is added. */
enum { READ, WRITE, ATOMIC, MODIFY, MARKED = 4, PIECE = 8, EXEMPT = 16, PRIMITIVE = 32, COMPARES = 64 };
/* What an access is beyond that on memory that is not sequentially consistent; and barriers, which are no accesses. */
enum { UNSAID, RELAXED, ACQUIRE, RELEASE, FULLY, UNSEEN };
enum { BARRIER = 1, STORES_BARRIER = 2, LOADS_BARRIER = 4, ATOMIC_BARRIER = 8 };
/* What a thread's turn ended with, as Python is told; a larger number is the key of an access. */
enum { DONE, FAULT, OTHER, CALL };

/* How a step uses a range of memory. LOCK and UNLOCK only read it: whether a lock is held is not in its own words, so
 * that to give it back and to take it do not race. */
enum { READS = 1, WRITES = 2, LOCKS = 4, UNLOCKS = 8 };

enum fault {
	NULL_POINTER, WILD_POINTER, CONSTANT, USE_AFTER_FREE, OUT_OF_BOUNDS, USE_AFTER_RETURN, DOUBLE_FREE, BAD_FREE,
	MISSING, STACK_OVERFLOW, DIVISION, ILLEGAL, BAD_ACCESS, ENDLESS, SLEEPS, NOT_HELD, STILL_HELD, FREES_LOCK,
	WARNED, BUG, WOULD_WAIT, EXHAUSTED, DESTROYED, OVERWRITES_LOCK, COPIES_LOCK,
	MISSING_VARIABLE
};

struct range {
	uint64_t address, size, use, site, start; /* of an object of the heap: where it was allocated, its beginning */
};

struct stop {
	uint64_t kind, address, size, pc, site, start, mark, order, expected;
	const char *verb; /* of what is no plain access */
	uint64_t waits, is_idle, value, count;
	struct range range[RANGES];
	uint64_t detail[4]; /* of a fault: where the object was made, where it was freed, by whom; its beginning */
};

struct seen {
	uint64_t address, size, value;
};

struct thread {
	void *sp;
	uint64_t low, high; /* its stack */
	uint64_t function, argument[6], result;
	uint64_t user_sp;            /* where the user's part of the stack ends */
	uint64_t spinning, held;     /* spin locks; all locks */
	uint64_t blocks;             /* jumps back since it last stopped */
	int (*until)(struct thread *); /* what it waits for */
	uint64_t until_a, until_b;
	uint64_t holder;             /* the lock that it waits for */
	struct seen locked;          /* the access of the last locked instruction, and what was there before it */
	uint64_t wrote, reads;       /* since it was last at the jump back `at` with the state `state` */
	uint64_t at, state;
	uint64_t exempt;             /* data_race(…)s that it is in */
	uint64_t order;              /* of its next access */
	struct seen seen[RANGES];
	uint64_t depth, frame[FRAMES], lowest[FRAMES]; /* of functions whose frame others may know: its end, its beginning */
};

struct object {
	uint64_t start, size, made, freed, freed_by, site;
};

/* What is not put back when a run begins, and is no part of the world's state. */
struct control {
	struct stop stop;
	void *scheduler;
	void *python[3]; /* PyLong_AsLong, PyLong_FromUnsignedLongLong, PyBool_FromLong */
	uint64_t written, end; /* the first byte that is written, and the end, of the statics */
	uint64_t key;
	uint64_t dma, pool, pool_end; /* bytes of the world's memory; what is left of it for dma_alloc_coherent */
	/* On memory that is not sequentially consistent: the barriers since the last stop; whether the next access is to find
	 * an older value, and which; what was there when that was over. */
	uint64_t weak, barriers, has_older, older, stored;
	struct seen instead;
	struct thread *running;
};
#define control ((struct control *)CONTROL)
#define c_stop (control->stop)
#define c_running (control->running)
#define c_threads ((struct thread *)TURNS_OF_THREADS)

uint64_t c_number(void);
int c_is_setup(void);
void c_leave(uint64_t kind);
__attribute__((noreturn)) void c_fault(enum fault what, uint64_t address, uint64_t size, uint64_t pc);
/* One access of the running thread, made when this returns; nothing happens for what nobody else can see. */
void c_touch(uint64_t kind, uint64_t address, uint64_t size, uint64_t pc, uint64_t sp);
/* A step that is more than an access: say what, name ranges, and take it. `until` may be NULL. */
void c_begin_step(const char *verb, uint64_t pc);
void c_range(uint64_t address, uint64_t size, uint64_t use);
void c_take_step(int (*until)(struct thread *), uint64_t a, uint64_t b);
void c_check(uint64_t address, uint64_t size, int is_write, uint64_t pc);
int c_may_touch(uint64_t address, uint64_t size);
int c_is_static(uint64_t address);
void c_may_sleep(uint64_t pc);
void c_barrier(uint64_t kind);
/* What a lock of any kind has at least. */
enum { LOCK_BYTES = 4 };
uint64_t c_lock_made_at(uint64_t address, uint64_t size);
void c_leaves_lock(uint64_t address, uint64_t size, int is_write, uint64_t pc);
struct object *c_object(uint64_t address);
void c_frees(uint64_t start, uint64_t size, uint64_t pc);
void c_reset_heap(void);
uint64_t c_load(uint64_t address, uint64_t size);

/* A variable of ours: apart from the user's, which an audit looks at. */
#define OURS __attribute__((section(".ours,\"aw\",@nobits#")))
#define OURS_SET __attribute__((section(".ours_set")))
#define PC ((uint64_t)__builtin_return_address(0))
#define SP ((uint64_t)__builtin_frame_address(0) + 16)
#endif
