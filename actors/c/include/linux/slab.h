#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H
#include <linux/kernel.h>

/* What may sleep has the lowest bit. */
#define GFP_KERNEL 1u
#define GFP_ATOMIC 2u
#define GFP_NOWAIT 4u
#define __GFP_ZERO 8u

void *c_kmalloc(size_t size, gfp_t flags);
void *c_kzalloc(size_t size, gfp_t flags);
void c_kfree(const void *pointer);

/* Never NULL; what is freed is never handed out again. */
#define kmalloc(size, flags) ((flags) & __GFP_ZERO ? c_kzalloc(size, flags) : c_kmalloc(size, flags))
#define kzalloc(size, flags) c_kzalloc(size, flags)
#define kcalloc(count, size, flags) c_kzalloc((count) * (size), flags)
#define kmalloc_array(count, size, flags) kmalloc((count) * (size), flags)
#define kfree(pointer) c_kfree(pointer)
#endif
