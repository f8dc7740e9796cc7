/* The small set of headers for C that has no kernel tree beside it: kernel names, written for this runtime. */
#ifndef _LINUX_COMPILER_H
#define _LINUX_COMPILER_H

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
void c_races_off(void);
void c_races_on(void);
#define data_race(expression)                           \
	({                                               \
		c_races_off();                           \
		__auto_type c_value_ = (expression);     \
		c_races_on();                            \
		c_value_;                                \
	})
#define barrier() __asm__ volatile("" : : : "memory")
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __iomem
#define __user
#define __rcu
#define __percpu
#define __init
#define __exit
#define __must_check
#define __maybe_unused __attribute__((__unused__))
#define __packed __attribute__((__packed__))
#define __aligned(n) __attribute__((__aligned__(n)))
#define noinline __attribute__((__noinline__))
#define __always_inline inline __attribute__((__always_inline__))
#define fallthrough __attribute__((__fallthrough__))

/* Tells the runtime of a lock that is made where it is defined. */
#define C_LOCK(name) static void *c_lock_##name __attribute__((__section__("ours_locks"), __used__)) = &name

/* Every access is seen in the order of the program, so these say nothing more than the compiler's own barrier. */
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#define dma_rmb() barrier()
#define dma_wmb() barrier()
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define smp_store_mb(x, value) WRITE_ONCE(x, value)

/* A loop whose rounds change nothing waits by itself until what it has read is written. */
#define cpu_relax() barrier()
void c_might_sleep(void);
#define cond_resched() ({ c_might_sleep(); 0; })
#define smp_cond_load_relaxed(p, condition)           \
	({                                             \
		__typeof__(*(p)) VAL;                  \
		while (VAL = READ_ONCE(*(p)), !(condition)) \
			cpu_relax();                   \
		VAL;                                   \
	})
#define smp_cond_load_acquire(p, condition) smp_cond_load_relaxed(p, condition)
#endif
