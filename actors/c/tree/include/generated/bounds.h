/* Numbers that a kernel's build counts: of its configuration. */
#define NR_PAGEFLAGS 26
#define MAX_NR_ZONES 4
#define NR_CPUS_BITS 4
#define SPINLOCK_SIZE 4
#define LRU_GEN_WIDTH 0
#define __LRU_REFS_WIDTH 0
