#ifndef _ASM_ATOMIC_H
#define _ASM_ATOMIC_H
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

#define C_ATOMIC(name, type, number)                                                                                     \
	static __always_inline number name##_read(const type *v) { return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); } \
	static __always_inline void name##_set(type *v, number to) { __atomic_store_n(&v->counter, to, __ATOMIC_RELAXED); } \
	C_ATOMIC_OPERATION(name, type, number, add)                                                                       \
	C_ATOMIC_OPERATION(name, type, number, sub)                                                                       \
	C_ATOMIC_OPERATION(name, type, number, and)                                                                       \
	C_ATOMIC_OPERATION(name, type, number, or)                                                                        \
	C_ATOMIC_OPERATION(name, type, number, xor)                                                                       \
	static __always_inline number name##_add_return(number by, type *v)                                               \
	{                                                                                                                 \
		return __atomic_add_fetch(&v->counter, by, __ATOMIC_SEQ_CST);                                             \
	}                                                                                                                 \
	static __always_inline number name##_sub_return(number by, type *v)                                               \
	{                                                                                                                 \
		return __atomic_sub_fetch(&v->counter, by, __ATOMIC_SEQ_CST);                                             \
	}
#define C_ATOMIC_OPERATION(name, type, number, operation)                                                                 \
	static __always_inline void name##_##operation(number by, type *v)                                                \
	{                                                                                                                 \
		__atomic_fetch_##operation(&v->counter, by, __ATOMIC_SEQ_CST);                                            \
	}                                                                                                                 \
	static __always_inline number name##_fetch_##operation(number by, type *v)                                        \
	{                                                                                                                 \
		OPTIMIZER_HIDE_VAR(by); /* or `bts` comes of it, whose address depends on the bit */                      \
		return __atomic_fetch_##operation(&v->counter, by, __ATOMIC_SEQ_CST);                                     \
	}
C_ATOMIC(arch_atomic, atomic_t, int)
C_ATOMIC(arch_atomic64, atomic64_t, s64)

#define arch_atomic_add_return arch_atomic_add_return
#define arch_atomic_sub_return arch_atomic_sub_return
#define arch_atomic_fetch_add arch_atomic_fetch_add
#define arch_atomic_fetch_sub arch_atomic_fetch_sub
#define arch_atomic_fetch_and arch_atomic_fetch_and
#define arch_atomic_fetch_or arch_atomic_fetch_or
#define arch_atomic_fetch_xor arch_atomic_fetch_xor
#define arch_atomic64_add_return arch_atomic64_add_return
#define arch_atomic64_sub_return arch_atomic64_sub_return
#define arch_atomic64_fetch_add arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and arch_atomic64_fetch_and
#define arch_atomic64_fetch_or arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor arch_atomic64_fetch_xor
#define ATOMIC64_INIT(value) { (value) }
#endif
