#ifndef _ASM_ELF_H
#define _ASM_ELF_H
#include <asm/ptrace.h>
typedef unsigned long elf_greg_t;
typedef elf_greg_t elf_gregset_t[32];
typedef struct { unsigned long unused; } elf_fpregset_t;
#define ELF_CLASS ELFCLASS64
#define ELF_DATA ELFDATA2LSB
#define ELF_ARCH EM_NONE
#define elf_check_arch(header) 0
#define ELF_ET_DYN_BASE 0UL
#define ELF_EXEC_PAGESIZE PAGE_SIZE
#define ELF_HWCAP 0
#define ELF_PLATFORM NULL
#endif
