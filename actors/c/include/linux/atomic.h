#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H
#include <linux/kernel.h>

#define ATOMIC_INIT(value) { (value) }
/* Under sequentially consistent memory all are alike. What the kernel's rules say of each is told before it. */
#define C_ORDERED(order, expression) ({ c_order(order); expression; })
#define C_ATOMIC_ORDERED(name, suffix, type, number, order)                                                             \
	static inline number name##_add_return##suffix(number by, type *v) { return C_ORDERED(order, __atomic_add_fetch(&v->counter, by, 5)); } \
	static inline number name##_sub_return##suffix(number by, type *v) { return C_ORDERED(order, __atomic_sub_fetch(&v->counter, by, 5)); } \
	static inline number name##_inc_return##suffix(type *v) { return name##_add_return##suffix(1, v); }              \
	static inline number name##_dec_return##suffix(type *v) { return name##_sub_return##suffix(1, v); }              \
	static inline number name##_fetch_add##suffix(number by, type *v) { return C_ORDERED(order, __atomic_fetch_add(&v->counter, by, 5)); } \
	static inline number name##_fetch_sub##suffix(number by, type *v) { return C_ORDERED(order, __atomic_fetch_sub(&v->counter, by, 5)); } \
	static inline number name##_xchg##suffix(type *v, number to) { return C_ORDERED(order, __atomic_exchange_n(&v->counter, to, 5)); } \
	static inline number name##_cmpxchg##suffix(type *v, number from, number to)                                     \
	{                                                                                                                \
		c_order(order);                                                                                          \
		__atomic_compare_exchange_n(&v->counter, &from, to, 0, 5, 5);                                            \
		return from;                                                                                             \
	}
#define C_ATOMIC(name, type, number)                                                                                    \
	static inline number name##_read(const type *v) { return READ_ONCE(v->counter); }                                \
	static inline void name##_set(type *v, number to) { WRITE_ONCE(v->counter, to); }                                \
	static inline number name##_read_acquire(const type *v) { return C_ORDERED(C_ACQUIRE, READ_ONCE(v->counter)); }   \
	static inline void name##_set_release(type *v, number to) { c_order(C_RELEASE); WRITE_ONCE(v->counter, to); }    \
	static inline void name##_add(number by, type *v) { c_order(C_UNSEEN); __atomic_fetch_add(&v->counter, by, 5); } \
	static inline void name##_sub(number by, type *v) { c_order(C_UNSEEN); __atomic_fetch_sub(&v->counter, by, 5); } \
	static inline void name##_inc(type *v) { name##_add(1, v); }                                                     \
	static inline void name##_dec(type *v) { name##_sub(1, v); }                                                     \
	C_ATOMIC_ORDERED(name, , type, number, C_FULLY)                                                                  \
	C_ATOMIC_ORDERED(name, _relaxed, type, number, C_RELAXED)                                                        \
	C_ATOMIC_ORDERED(name, _acquire, type, number, C_ACQUIRE)                                                        \
	C_ATOMIC_ORDERED(name, _release, type, number, C_RELEASE)                                                        \
	static inline bool name##_dec_and_test(type *v) { return name##_sub_return(1, v) == 0; }                         \
	static inline bool name##_inc_and_test(type *v) { return name##_add_return(1, v) == 0; }                         \
	static inline bool name##_inc_not_zero(type *v)                                                                  \
	{                                                                                                                \
		number now = name##_read(v), before;                                                                     \
		for (; now; now = before) {                                                                              \
			before = name##_cmpxchg(v, now, now + 1);                                                        \
			if (before == now)                                                                               \
				return true;                                                                             \
		}                                                                                                        \
		return false;                                                                                            \
	}
C_ATOMIC(atomic, atomic_t, int)
C_ATOMIC(atomic64, atomic64_t, s64)

#define C_XCHG(order, p, value)                                  \
	({                                                        \
		__auto_type p_ = (p);                             \
		__typeof__(*p_) to_ = (value);                    \
		C_ORDERED(order, __atomic_exchange_n(p_, to_, 5)); \
	})
#define xchg(p, value) C_XCHG(C_FULLY, p, value)
#define xchg_relaxed(p, value) C_XCHG(C_RELAXED, p, value)
#define xchg_acquire(p, value) C_XCHG(C_ACQUIRE, p, value)
#define xchg_release(p, value) C_XCHG(C_RELEASE, p, value)
#define C_CMPXCHG(order, p, from, to)                                        \
	({                                                                    \
		__auto_type p_ = (p);                                         \
		__typeof__(*p_) from_ = (from), to_ = (to);                   \
		c_order(order);                                               \
		__atomic_compare_exchange_n(p_, &from_, to_, 0, 5, 5);        \
		from_;                                                        \
	})
#define cmpxchg(p, from, to) C_CMPXCHG(C_FULLY, p, from, to)
#define cmpxchg_relaxed(p, from, to) C_CMPXCHG(C_RELAXED, p, from, to)
#define cmpxchg_acquire(p, from, to) C_CMPXCHG(C_ACQUIRE, p, from, to)
#define cmpxchg_release(p, from, to) C_CMPXCHG(C_RELEASE, p, from, to)

static inline void set_bit(long n, volatile unsigned long *word) { c_order(C_UNSEEN); __atomic_fetch_or(&word[n / 64], 1UL << n % 64, 5); }
static inline void clear_bit(long n, volatile unsigned long *word) { c_order(C_UNSEEN); __atomic_fetch_and(&word[n / 64], ~(1UL << n % 64), 5); }
static inline bool test_bit(long n, const volatile unsigned long *word) { return word[n / 64] >> n % 64 & 1; }
static inline bool test_and_set_bit(long n, volatile unsigned long *word)
{
	c_order(C_FULLY);
	return __atomic_fetch_or(&word[n / 64], 1UL << n % 64, 5) >> n % 64 & 1;
}
static inline bool test_and_clear_bit(long n, volatile unsigned long *word)
{
	c_order(C_FULLY);
	return __atomic_fetch_and(&word[n / 64], ~(1UL << n % 64), 5) >> n % 64 & 1;
}
#endif
