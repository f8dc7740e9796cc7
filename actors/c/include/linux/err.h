#ifndef _LINUX_ERR_H
#define _LINUX_ERR_H
#include <linux/errno.h>
#include <linux/types.h>

static inline void *ERR_PTR(long error) { return (void *)error; }
static inline long PTR_ERR(const void *pointer) { return (long)pointer; }
static inline bool IS_ERR(const void *pointer) { return (unsigned long)pointer >= -4095UL; }
static inline bool IS_ERR_OR_NULL(const void *pointer) { return !pointer || IS_ERR(pointer); }
#endif
