#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H
#include <linux/kernel.h>

#define ATOMIC_INIT(value) { (value) }
#define C_ATOMIC(name, type, number)                                                                                    \
	static inline number name##_read(const type *v) { return __atomic_load_n(&v->counter, __ATOMIC_SEQ_CST); }       \
	static inline void name##_set(type *v, number to) { __atomic_store_n(&v->counter, to, __ATOMIC_SEQ_CST); }       \
	static inline void name##_add(number by, type *v) { __atomic_fetch_add(&v->counter, by, __ATOMIC_SEQ_CST); }     \
	static inline void name##_sub(number by, type *v) { __atomic_fetch_sub(&v->counter, by, __ATOMIC_SEQ_CST); }     \
	static inline void name##_inc(type *v) { __atomic_fetch_add(&v->counter, 1, __ATOMIC_SEQ_CST); }                 \
	static inline void name##_dec(type *v) { __atomic_fetch_sub(&v->counter, 1, __ATOMIC_SEQ_CST); }                 \
	static inline number name##_add_return(number by, type *v) { return __atomic_add_fetch(&v->counter, by, __ATOMIC_SEQ_CST); } \
	static inline number name##_sub_return(number by, type *v) { return __atomic_sub_fetch(&v->counter, by, __ATOMIC_SEQ_CST); } \
	static inline number name##_inc_return(type *v) { return name##_add_return(1, v); }                              \
	static inline number name##_dec_return(type *v) { return name##_sub_return(1, v); }                              \
	static inline number name##_fetch_add(number by, type *v) { return __atomic_fetch_add(&v->counter, by, __ATOMIC_SEQ_CST); } \
	static inline bool name##_dec_and_test(type *v) { return name##_sub_return(1, v) == 0; }                         \
	static inline bool name##_inc_and_test(type *v) { return name##_add_return(1, v) == 0; }                         \
	static inline number name##_xchg(type *v, number to) { return __atomic_exchange_n(&v->counter, to, __ATOMIC_SEQ_CST); } \
	static inline number name##_cmpxchg(type *v, number from, number to)                                             \
	{                                                                                                                \
		__atomic_compare_exchange_n(&v->counter, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);              \
		return from;                                                                                             \
	}                                                                                                                \
	static inline bool name##_inc_not_zero(type *v)                                                                  \
	{                                                                                                                \
		number now = name##_read(v);                                                                             \
		do {                                                                                                     \
			if (!now)                                                                                        \
				return false;                                                                            \
		} while (!__atomic_compare_exchange_n(&v->counter, &now, now + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); \
		return true;                                                                                             \
	}
C_ATOMIC(atomic, atomic_t, int)
C_ATOMIC(atomic64, atomic64_t, s64)

#define xchg(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define cmpxchg(p, from, to)                                                                                \
	({                                                                                                   \
		__typeof__(*(p)) from_ = (from);                                                             \
		__atomic_compare_exchange_n(p, &from_, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);           \
		from_;                                                                                       \
	})

static inline void set_bit(long n, volatile unsigned long *word) { __atomic_fetch_or(&word[n / 64], 1UL << n % 64, 5); }
static inline void clear_bit(long n, volatile unsigned long *word) { __atomic_fetch_and(&word[n / 64], ~(1UL << n % 64), 5); }
static inline bool test_bit(long n, const volatile unsigned long *word) { return word[n / 64] >> n % 64 & 1; }
static inline bool test_and_set_bit(long n, volatile unsigned long *word)
{
	return __atomic_fetch_or(&word[n / 64], 1UL << n % 64, 5) >> n % 64 & 1;
}
static inline bool test_and_clear_bit(long n, volatile unsigned long *word)
{
	return __atomic_fetch_and(&word[n / 64], ~(1UL << n % 64), 5) >> n % 64 & 1;
}
#endif
