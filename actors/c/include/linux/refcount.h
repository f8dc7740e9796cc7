#ifndef _LINUX_REFCOUNT_H
#define _LINUX_REFCOUNT_H
#include <linux/atomic.h>

typedef struct {
	atomic_t refs;
} refcount_t;
#define REFCOUNT_INIT(value) { .refs = ATOMIC_INIT(value) }

static inline void refcount_set(refcount_t *r, int value) { atomic_set(&r->refs, value); }
static inline unsigned int refcount_read(const refcount_t *r) { return atomic_read(&r->refs); }
static inline bool refcount_inc_not_zero(refcount_t *r) { return atomic_inc_not_zero(&r->refs); }
static inline void refcount_inc(refcount_t *r) { WARN_ON(atomic_fetch_add(1, &r->refs) <= 0); }
static inline bool refcount_dec_and_test(refcount_t *r)
{
	int left = atomic_sub_return(1, &r->refs);

	WARN_ON(left < 0);
	return left == 0;
}
static inline void refcount_dec(refcount_t *r) { WARN_ON(atomic_sub_return(1, &r->refs) <= 0); }
#endif
