/* The names by which a kernel's own headers call the primitives: those that need no header to be defined. Whatever the
 * user's files define themselves takes their place. */
#include "runtime.h"
#include "primitives.h"

#define TAKES(name, verb, how) \
	void name(uint64_t lock) { c_acquire(lock, verb, how, PC, SP); }
#define TAKES_OR_FAILS(name, verb, how) \
	int name(uint64_t lock) { c_acquire(lock, verb, how, PC, SP); return 0; }
#define TAKES_WITH_FLAGS(name, verb, how) \
	uint64_t name(uint64_t lock) { c_acquire(lock, verb, how, PC, SP); return 0; }
#define GIVES(name, verb, how) \
	void name(uint64_t lock) { c_release(lock, verb, how, PC, SP); }
#define TRIES(name, verb, how) \
	int name(uint64_t lock) { return c_try(lock, verb, how, PC, SP); }

#define SPINNING(name, verb, how) \
	TAKES(_raw_##name##_lock, verb " lock", how) \
	TAKES(_raw_##name##_lock_irq, verb " lock", how) \
	TAKES(_raw_##name##_lock_bh, verb " lock", how) \
	TAKES_WITH_FLAGS(_raw_##name##_lock_irqsave, verb " lock", how) \
	TRIES(_raw_##name##_trylock, "try " verb " lock", how) \
	GIVES(_raw_##name##_unlock, verb " unlock", how) \
	GIVES(_raw_##name##_unlock_irq, verb " unlock", how) \
	GIVES(_raw_##name##_unlock_bh, verb " unlock", how) \
	GIVES(_raw_##name##_unlock_irqrestore, verb " unlock", how)
SPINNING(spin, "spin", SPINS)
SPINNING(read, "read", SPINS | SHARED | MANY)
SPINNING(write, "write", SPINS | MANY)

/* Nobody is interrupted by a signal. */
TAKES_OR_FAILS(mutex_lock_interruptible, "lock", 0)
TAKES_OR_FAILS(mutex_lock_killable, "lock", 0)
TAKES(mutex_lock_io, "lock", 0)
TAKES(down_read, "read lock", SHARED | MANY)
TAKES_OR_FAILS(down_read_killable, "read lock", SHARED | MANY)
TAKES_OR_FAILS(down_read_interruptible, "read lock", SHARED | MANY)
TAKES(down_write, "write lock", MANY)
TAKES_OR_FAILS(down_write_killable, "write lock", MANY)
TRIES(down_read_trylock, "try read lock", SHARED | MANY)
TRIES(down_write_trylock, "try write lock", MANY)
GIVES(up_read, "read unlock", SHARED | MANY)
GIVES(up_write, "write unlock", MANY)

/* A lock's own words are nobody's, so there is nothing to be made. */
void __mutex_init(void *lock, const char *name, void *key) {}
void mutex_init_generic(void *lock) {}
void __init_rwsem(void *lock, const char *name, void *key) {}
void __init_swait_queue_head(void *queue, const char *name, void *key) {}
void mutex_destroy(void *lock) {}
int c_spin_is_locked(uint64_t lock) { return c_is_held(lock, PC, SP); }

#define RCU ((unsigned long)&rcu_readers)
void __rcu_read_lock(void) { c_begin_reading(RCU, PC, SP); }
void __rcu_read_unlock(void) { c_end_reading(RCU, PC, SP); }
void synchronize_rcu(void) { c_wait_for_readers(RCU, PC, SP); }
void synchronize_rcu_expedited(void) { c_wait_for_readers(RCU, PC, SP); }
int init_srcu_struct(void *domain) { return 0; }
void cleanup_srcu_struct(void *domain) {}
int __srcu_read_lock(uint64_t domain) { c_begin_reading(domain, PC, SP); return 0; }
void __srcu_read_unlock(uint64_t domain, int number) { c_end_reading(domain, PC, SP); }
void synchronize_srcu(uint64_t domain) { c_wait_for_readers(domain, PC, SP); }
void synchronize_srcu_expedited(uint64_t domain) { c_wait_for_readers(domain, PC, SP); }

static uint64_t now_or_never(unsigned *done, uint64_t timeout, uint64_t pc, uint64_t sp)
{
	unsigned before;

	c_may_sleep(pc);
	c_touch(ATOMIC | PRIMITIVE, (uint64_t)done, 4, pc, sp);
	before = *done;
	if (before && before != ~0u)
		--*done;
	return before ? timeout : 0;
}

/* A time may be over whenever somebody waits for it. */
uint64_t wait_for_completion_timeout(unsigned *done, uint64_t timeout) { return now_or_never(done, timeout, PC, SP); }
int completion_done(unsigned *done)
{
	c_touch(READ | PRIMITIVE, (uint64_t)done, 4, PC, SP);
	return *done != 0;
}

/* What is printed nobody reads. */
#define SAYS(name) \
	int name(const char *format, ...) { return 0; }
#define SAYS_OF_DEVICE(name) \
	void name(const void *device, const char *format, ...) {}
SAYS(_printk)
SAYS_OF_DEVICE(_dev_emerg)
SAYS_OF_DEVICE(_dev_alert)
SAYS_OF_DEVICE(_dev_crit)
SAYS_OF_DEVICE(_dev_err)
SAYS_OF_DEVICE(_dev_warn)
SAYS_OF_DEVICE(_dev_notice)
SAYS_OF_DEVICE(_dev_info)
void _dev_printk(const char *level, const void *device, const char *format, ...) {}
int dev_err_probe(const void *device, int error, const char *format, ...) { return error; }
int ___ratelimit(void *state, const char *function) { return 0; }
void dump_stack(void) {}
void add_taint(unsigned flag, int lockdep) {}
void panic(const char *format, ...) { c_fault(BUG, (uint64_t)format, 0, PC); }
void refcount_warn_saturate(void *count, unsigned how)
{
	static const char *const what[] = {
		"a counter would leave 0", "a counter is too large", "a counter of what is gone is raised",
		"a counter falls below 0", "a counter falls to 0 unseen",
	};

	c_fault(WARNED, (uint64_t)what[how % 5], 0, PC);
}
/* Slabs by size: constant, so that to ask for one is no step. */
const char kmalloc_caches[8192];
