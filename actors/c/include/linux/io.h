#ifndef _LINUX_IO_H
#define _LINUX_IO_H
#include <linux/dma-mapping.h>

/* A register of the model is a word of the world's memory. */
#define C_REGISTER(suffix, type)                                                                                       \
	static inline type read##suffix##_relaxed(const volatile void __iomem *address)                                 \
	{                                                                                                               \
		return *(const volatile type *)address;                                                                 \
	}                                                                                                               \
	static inline void write##suffix##_relaxed(type value, volatile void __iomem *address)                          \
	{                                                                                                               \
		*(volatile type *)address = value;                                                                      \
	}                                                                                                               \
	static inline type read##suffix(const volatile void __iomem *address)                                           \
	{                                                                                                               \
		type value = read##suffix##_relaxed(address);                                                           \
		dma_rmb();                                                                                              \
		return value;                                                                                           \
	}                                                                                                               \
	static inline void write##suffix(type value, volatile void __iomem *address)                                    \
	{                                                                                                               \
		dma_wmb();                                                                                              \
		write##suffix##_relaxed(value, address);                                                                \
	}
C_REGISTER(q, u64)
C_REGISTER(l, u32)
#endif
