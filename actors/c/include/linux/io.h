#ifndef _LINUX_IO_H
#define _LINUX_IO_H
#include <linux/dma-mapping.h>

/* A register of the model is a word of the world's memory. */
static inline u64 readq(const volatile void __iomem *address) { return *(const volatile u64 *)address; }
static inline u32 readl(const volatile void __iomem *address) { return *(const volatile u32 *)address; }
static inline void writeq(u64 value, volatile void __iomem *address) { *(volatile u64 *)address = value; }
static inline void writel(u32 value, volatile void __iomem *address) { *(volatile u32 *)address = value; }
#define readq_relaxed(address) readq(address)
#define readl_relaxed(address) readl(address)
#define writeq_relaxed(value, address) writeq(value, address)
#define writel_relaxed(value, address) writel(value, address)
#endif
