/* What QEMU's monitor prints for people, read by a program. Every parser takes any text. */
#pragma once

#include "capture.h"

/* `info status`: running, paused, prelaunch ...; false if it is something else. */
bool hmp_status(const char *text, char *state, size_t room);
/* `info registers` of an Arm: general registers, width, mode and security state. */
bool hmp_registers(const char *text, struct capture *capture);
/* The same of an x86, whose control registers and tables it has too. */
bool hmp_registers_x86(const char *text, struct capture *capture);
/* `info mtree -f`: the view of this address space, e.g. "cpu-memory-0". */
bool hmp_memory_map(const char *text, const char *space, struct capture *capture);
/* `gva2gpa`: false if it is not mapped. */
bool hmp_physical(const char *text, uint64_t *physical);
/* `xp /Nwx`: false if there are not N words. */
bool hmp_words(const char *text, uint32_t *word, size_t n);
/* `info roms`: where the blob of this name was put. */
bool hmp_rom(const char *text, const char *name, uint64_t *address);
/* `qom-get` of a string: without its quotes. */
bool hmp_string(const char *text, char *to, size_t room);
/* `qom-list`: the n-th child of this type. */
bool hmp_child(const char *text, const char *type, unsigned n, char *to, size_t room);
/* `info chardev`: the address of QEMU's GDB server; *busy: somebody is connected. */
bool hmp_gdb_server(const char *text, char *to, size_t room, bool *busy);
/* "virt" of "virt-7.2-machine"; "pc" of every PC. */
void hmp_board(const char *machine_type, char *to, size_t room);
/* "EPYC" of "EPYC-v1-x86_64-cpu"; false: it is no processor's. */
bool hmp_cpu(const char *type, char *to, size_t room);
