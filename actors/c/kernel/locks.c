/* Mutexes and spin locks. Each call is a step, or two, on the words of its lock. */
#include "runtime.h"
#include "primitives.h"

/* Who holds a lock is kept apart from the lock's own words, which then are never written: what reads them by itself sees
 * what it sees in any order, and to give back and to take need not race. */
struct lock {
	uint64_t address, holder, pc, readers[(SLOTS + 63) / 64], is_made; /* made by an initialiser, so that any access knows it for a lock */
};
enum { LOCKS_AT_MOST = 128 };
OURS static struct lock locks[LOCKS_AT_MOST];

static int has_readers(struct lock *lock) { return lock->readers[0] || lock->readers[1]; }
static int is_reader(struct lock *lock) { return lock->readers[c_number() / 64] >> c_number() % 64 & 1; }
static int is_taken(struct lock *lock, unsigned how) { return lock->holder || (!(how & SHARED) && has_readers(lock)); }

/* The place of a lock in the table, or where it would be; NULL if there is no room. */
static struct lock *place_of(uint64_t address)
{
	uint64_t i = (address >> 2) % LOCKS_AT_MOST;

	for (uint64_t n = 0; n < LOCKS_AT_MOST; n++, i = (i + 1) % LOCKS_AT_MOST)
		if (!locks[i].address || locks[i].address == address)
			return &locks[i];
	return NULL;
}

static struct lock *lock_at(uint64_t address)
{
	struct lock *lock = place_of(address);

	if (!lock)
		c_fault(EXHAUSTED, address, 0, 0);
	lock->address = address;
	return lock;
}

/* The lock whose words an access comes to, if there is one. */
static struct lock *lock_within(uint64_t address, uint64_t size)
{
	for (uint64_t at = address & -(uint64_t)LOCK_BYTES; at < address + size; at += LOCK_BYTES) {
		struct lock *lock = place_of(at);

		if (lock && lock->address)
			return lock;
	}
	return NULL;
}

/* The words of a lock that is made: what reads them, such as a copy of the structure around it, sees whether it is held,
 * though that stands elsewhere. */
uint64_t c_lock_made_at(uint64_t address, uint64_t size)
{
	struct lock *lock = lock_within(address, size);

	return lock && lock->is_made ? lock->address : 0;
}

/* An access other than by the calls below is made: the lock that it comes to must be free. */
void c_leaves_lock(uint64_t address, uint64_t size, int is_write, uint64_t pc)
{
	struct lock *lock = lock_within(address, size);

	if (lock && (lock->holder || has_readers(lock)))
		c_fault(is_write ? OVERWRITES_LOCK : COPIES_LOCK, lock->address, LOCK_BYTES, pc);
}

void c_may_sleep(uint64_t pc)
{
	if (c_running->spinning)
		c_fault(SLEEPS, 0, 0, pc);
}

static int is_free(struct thread *t)
{
	return !c_may_touch(t->until_a, LOCK_BYTES) || !((struct lock *)t->until_b)->holder;
}

static int is_free_of_readers(struct thread *t)
{
	return is_free(t) && !has_readers((struct lock *)t->until_b);
}

static void take(struct lock *lock, unsigned how, uint64_t pc)
{
	if (how & SHARED)
		lock->readers[c_number() / 64] |= 1UL << c_number() % 64;
	else
		lock->holder = c_number() + 1;
	lock->pc = pc;
	c_running->held = pc;
	c_running->spinning += !!(how & SPINS);
}

void c_acquire(uint64_t address, const char *verb, unsigned how, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	if (!(how & SPINS))
		c_may_sleep(pc);
	c_begin_step(verb, pc);
	c_range(address, LOCK_BYTES, how & MANY ? WRITES : LOCKS);
	c_running->holder = (uint64_t)&lock->holder;
	c_take_step(how & MANY && !(how & SHARED) ? is_free_of_readers : is_free, address, (uint64_t)lock);
	c_check(address, LOCK_BYTES, 1, pc);
	take(lock, how, pc);
}

void c_release(uint64_t address, const char *verb, unsigned how, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range(address, LOCK_BYTES, how & MANY ? WRITES : UNLOCKS);
	c_take_step(NULL, 0, 0);
	c_check(address, LOCK_BYTES, 1, pc);
	if (how & SHARED ? !is_reader(lock) : lock->holder != c_number() + 1)
		c_fault(NOT_HELD, address, LOCK_BYTES, pc);
	if (how & SHARED)
		lock->readers[c_number() / 64] &= ~(1UL << c_number() % 64);
	else
		lock->holder = 0;
	c_running->spinning -= !!(how & SPINS);
	c_running->held = 0;
	for (int i = 0; i < LOCKS_AT_MOST; i++)
		if (locks[i].holder == c_number() + 1 || is_reader(&locks[i]))
			c_running->held = locks[i].pc;
	if (how & (SPINS | MANY) || c_is_static(address))
		return;
	/* A mutex is still looked at, to wake up who waits: until that is over it must be there. */
	c_begin_step("leave unlock of", pc);
	c_range(address, LOCK_BYTES, READS);
	c_take_step(NULL, 0, 0);
	c_check(address, LOCK_BYTES, 0, pc);
}

int c_try(uint64_t address, const char *verb, unsigned how, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	c_begin_step(verb, pc);
	c_range(address, LOCK_BYTES, WRITES);
	c_take_step(NULL, 0, 0);
	c_check(address, LOCK_BYTES, 1, pc);
	if (is_taken(lock, how))
		return 0;
	take(lock, how, pc);
	return 1;
}

int c_is_held(uint64_t address, uint64_t pc, uint64_t sp)
{
	struct lock *lock = lock_at(address);

	c_running->user_sp = sp;
	c_begin_step("look at lock", pc);
	c_range(address, LOCK_BYTES, WRITES); /* in the eyes of whoever takes it or gives it back */
	c_take_step(NULL, 0, 0);
	c_check(address, LOCK_BYTES, 0, pc);
	return lock->holder != 0 || has_readers(lock);
}

static void init(uint64_t address, uint64_t pc, uint64_t sp)
{
	c_touch(WRITE, address, LOCK_BYTES, pc, sp);
	*(uint32_t *)address = 0;
	lock_at(address)->is_made = 1;
}

/* Locks that are made when they are defined: DEFINE_MUTEX and DEFINE_SPINLOCK say where they are. */
__attribute__((section("ours_locks"), used)) static uint64_t no_lock = 0;
extern uint64_t __start_ours_locks[], __stop_ours_locks[];
void c_make_locks(void)
{
	for (uint64_t *each = __start_ours_locks; each < __stop_ours_locks; each++) {
		struct lock *lock = *each ? place_of(*each) : NULL;

		if (lock)
			*lock = (struct lock){ .address = *each, .is_made = 1 };
	}
}

void mutex_init(void *lock) { init((uint64_t)lock, PC, SP); }
void mutex_lock(void *lock) { c_acquire((uint64_t)lock, "lock", 0, PC, SP); }
void mutex_unlock(void *lock) { c_release((uint64_t)lock, "unlock", 0, PC, SP); }
int mutex_trylock(void *lock) { return c_try((uint64_t)lock, "try lock", 0, PC, SP); }
int mutex_is_locked(void *lock) { return c_is_held((uint64_t)lock, PC, SP); }
void spin_lock_init(void *lock) { init((uint64_t)lock, PC, SP); }
void spin_lock(void *lock) { c_acquire((uint64_t)lock, "spin lock", SPINS, PC, SP); }
void spin_unlock(void *lock) { c_release((uint64_t)lock, "spin unlock", SPINS, PC, SP); }
int spin_trylock(void *lock) { return c_try((uint64_t)lock, "try spin lock", SPINS, PC, SP); }
int spin_is_locked(void *lock) { return c_is_held((uint64_t)lock, PC, SP); }

/* Memory with a lock that somebody holds must not be freed. */
void c_frees(uint64_t start, uint64_t size, uint64_t pc)
{
	for (int i = 0; i < LOCKS_AT_MOST; i++)
		if ((locks[i].holder || has_readers(&locks[i])) && locks[i].address - start < size)
			c_fault(FREES_LOCK, start, 0, pc);
}
