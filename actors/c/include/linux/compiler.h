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

/* Barriers, and what the next access is beyond a plain one: the runtime knows what that means under a memory model. */
enum { C_RELAXED = 1, C_ACQUIRE, C_RELEASE, C_FULLY, C_UNSEEN };
void c_barrier(unsigned long kind);
void c_order(unsigned long order);
#define smp_mb() c_barrier(1)
#define smp_wmb() c_barrier(2)
#define smp_rmb() c_barrier(4)
#define mb() smp_mb()
#define rmb() smp_rmb()
#define wmb() smp_wmb()
#define dma_rmb() smp_rmb()
#define dma_wmb() smp_wmb()
#define smp_mb__before_atomic() c_barrier(8)
#define smp_mb__after_atomic() c_barrier(8)
#define smp_load_acquire(p)              \
	({                                \
		__auto_type p_ = (p);     \
		c_order(C_ACQUIRE);       \
		READ_ONCE(*p_);           \
	})
#define smp_store_release(p, value)                      \
	do {                                              \
		__auto_type p_ = (p);                     \
		__typeof__(*p_) value_ = (value);         \
		c_order(C_RELEASE);                       \
		WRITE_ONCE(*p_, value_);                  \
	} while (0)
#define smp_store_mb(x, value)           \
	do {                              \
		WRITE_ONCE(x, value);     \
		smp_mb();                 \
	} while (0)

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
#define smp_cond_load_acquire(p, condition)                   \
	({                                                     \
		__typeof__(*(p)) VAL;                          \
		while (VAL = smp_load_acquire(p), !(condition)) \
			cpu_relax();                           \
		VAL;                                           \
	})
#endif
