#ifndef _ASM_CMPXCHG_H
#define _ASM_CMPXCHG_H
#define arch_xchg(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define arch_cmpxchg(p, from, to)                                                                            \
	({                                                                                                    \
		__typeof__(*(p)) from_ = (__typeof__(*(p)))(from);                                            \
		__atomic_compare_exchange_n(p, &from_, (__typeof__(*(p)))(to), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		from_;                                                                                        \
	})
#define arch_cmpxchg_local arch_cmpxchg
#define arch_cmpxchg64 arch_cmpxchg
#define arch_cmpxchg64_local arch_cmpxchg
#define system_has_cmpxchg64() 1
#endif
