#ifndef _ASM_SPINLOCK_TYPES_H
#define _ASM_SPINLOCK_TYPES_H
/* As large as they are elsewhere. Nobody reads or writes them: who holds a lock is kept apart. */
typedef struct {
	unsigned int unused;
} arch_spinlock_t;
typedef struct {
	unsigned int unused[2];
} arch_rwlock_t;
#define __ARCH_SPIN_LOCK_UNLOCKED { 0 }
#define __ARCH_RW_LOCK_UNLOCKED { { 0, 0 } }
#endif
