/* Registers of x86 guests as GDB numbers them (docs/debug-channel.md): those of the
 * width that the guest has when a session begins. */
#include "gdb/debug.h"

#include <selvage/base.h>

#define EFER_LMA (1u << 10)
#define SELECTOR 0x40u /* the selector in a segment; LIMIT: its limit */
#define LIMIT 0x80u
#define NOT_SHOWN 0xffu /* the x87's, which nobody asks the kernel for yet */

/* clang-format off */
#define XML_HEAD "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
#define XML_REG(name, bits, type) \
	"<reg name=\"" name "\" bitsize=\"" #bits "\" type=\"" type "\"/>"
#define XML_FLAGS \
	"<flags id=\"i386_eflags\" size=\"4\">" \
	"<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"PF\" start=\"2\" end=\"2\"/>" \
	"<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>" \
	"<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"TF\" start=\"8\" end=\"8\"/>" \
	"<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"DF\" start=\"10\" end=\"10\"/>" \
	"<field name=\"OF\" start=\"11\" end=\"11\"/><field name=\"NT\" start=\"14\" end=\"14\"/>" \
	"<field name=\"RF\" start=\"16\" end=\"16\"/><field name=\"VM\" start=\"17\" end=\"17\"/>" \
	"<field name=\"AC\" start=\"18\" end=\"18\"/></flags>"

/* X(name, source, bits, type); GDB wants all of these, in this order. */
#define SEGMENTS_AND_X87(X) \
	X("cs", VCPU_CS | SELECTOR, 32, "int32") X("ss", VCPU_SS | SELECTOR, 32, "int32") \
	X("ds", VCPU_DS | SELECTOR, 32, "int32") X("es", VCPU_ES | SELECTOR, 32, "int32") \
	X("fs", VCPU_FS | SELECTOR, 32, "int32") X("gs", VCPU_GS | SELECTOR, 32, "int32") \
	X("st0", NOT_SHOWN, 80, "i387_ext") X("st1", NOT_SHOWN, 80, "i387_ext") \
	X("st2", NOT_SHOWN, 80, "i387_ext") X("st3", NOT_SHOWN, 80, "i387_ext") \
	X("st4", NOT_SHOWN, 80, "i387_ext") X("st5", NOT_SHOWN, 80, "i387_ext") \
	X("st6", NOT_SHOWN, 80, "i387_ext") X("st7", NOT_SHOWN, 80, "i387_ext") \
	X("fctrl", NOT_SHOWN, 32, "int") X("fstat", NOT_SHOWN, 32, "int") \
	X("ftag", NOT_SHOWN, 32, "int") X("fiseg", NOT_SHOWN, 32, "int") \
	X("fioff", NOT_SHOWN, 32, "int") X("foseg", NOT_SHOWN, 32, "int") \
	X("fooff", NOT_SHOWN, 32, "int") X("fop", NOT_SHOWN, 32, "int")
#define WIDE_CORE(X) \
	X("rax", VCPU_RAX, 64, "int64") X("rbx", VCPU_RBX, 64, "int64") \
	X("rcx", VCPU_RCX, 64, "int64") X("rdx", VCPU_RDX, 64, "int64") \
	X("rsi", VCPU_RSI, 64, "int64") X("rdi", VCPU_RDI, 64, "int64") \
	X("rbp", VCPU_RBP, 64, "data_ptr") X("rsp", VCPU_RSP, 64, "data_ptr") \
	X("r8", VCPU_R8, 64, "int64") X("r9", VCPU_R9, 64, "int64") \
	X("r10", VCPU_R10, 64, "int64") X("r11", VCPU_R11, 64, "int64") \
	X("r12", VCPU_R12, 64, "int64") X("r13", VCPU_R13, 64, "int64") \
	X("r14", VCPU_R14, 64, "int64") X("r15", VCPU_R15, 64, "int64") \
	X("rip", VCPU_RIP, 64, "code_ptr") X("eflags", VCPU_RFLAGS, 32, "i386_eflags") \
	SEGMENTS_AND_X87(X)
#define NARROW_CORE(X) \
	X("eax", VCPU_RAX, 32, "int32") X("ecx", VCPU_RCX, 32, "int32") \
	X("edx", VCPU_RDX, 32, "int32") X("ebx", VCPU_RBX, 32, "int32") \
	X("esp", VCPU_RSP, 32, "data_ptr") X("ebp", VCPU_RBP, 32, "data_ptr") \
	X("esi", VCPU_RSI, 32, "int32") X("edi", VCPU_RDI, 32, "int32") \
	X("eip", VCPU_RIP, 32, "code_ptr") X("eflags", VCPU_RFLAGS, 32, "i386_eflags") \
	SEGMENTS_AND_X87(X)
/* Where QEMU has them too they have its names. */
#define SYSTEM(X) \
	X("fs_base", VCPU_FS_BASE, 64, "uint64") X("gs_base", VCPU_GS_BASE, 64, "uint64") \
	X("k_gs_base", VCPU_KERNEL_GS_BASE, 64, "uint64") X("cr0", VCPU_CR0, 64, "uint64") \
	X("cr2", VCPU_CR2, 64, "uint64") X("cr3", VCPU_CR3, 64, "uint64") \
	X("cr4", VCPU_CR4, 64, "uint64") X("cr8", VCPU_CR8, 64, "uint64") \
	X("efer", VCPU_EFER, 64, "uint64") X("idt_base", VCPU_IDTR_BASE, 64, "uint64") \
	X("idt_limit", VCPU_IDTR | LIMIT, 32, "uint32") \
	X("gdt_base", VCPU_GDTR_BASE, 64, "uint64") \
	X("gdt_limit", VCPU_GDTR | LIMIT, 32, "uint32") \
	X("ldtr", VCPU_LDTR | SELECTOR, 32, "uint32") X("tr", VCPU_TR | SELECTOR, 32, "uint32") \
	X("tr_base", VCPU_TR_BASE, 64, "uint64") X("star", VCPU_STAR, 64, "uint64") \
	X("lstar", VCPU_LSTAR, 64, "uint64") X("sfmask", VCPU_SFMASK, 64, "uint64") \
	X("sysenter_cs", VCPU_SYSENTER_CS, 64, "uint64") \
	X("sysenter_esp", VCPU_SYSENTER_ESP, 64, "uint64") \
	X("sysenter_eip", VCPU_SYSENTER_EIP, 64, "uint64") X("pat", VCPU_PAT, 64, "uint64")

#define X(name, source, bits, type) XML_REG(name, bits, type)
#define DESCRIPTION(architecture, core)                                          \
	XML_HEAD "<architecture>" architecture "</architecture>"                 \
	"<feature name=\"org.gnu.gdb.i386.core\">" XML_FLAGS core(X)             \
	"</feature><feature name=\"org.selvage.gdb.i386.system\">" SYSTEM(X)     \
	"</feature></target>"
static const char wide_xml[] = DESCRIPTION("i386:x86-64", WIDE_CORE);
static const char narrow_xml[] = DESCRIPTION("i386", NARROW_CORE);
#undef X
/* clang-format on */

struct place {
	uint8_t source, bytes;
};
#define X(name, source, bits, type) { source, (bits) / 8 },
static const struct place wide_core[] = { WIDE_CORE(X) };
static const struct place narrow_core[] = { NARROW_CORE(X) };
static const struct place system_regs[] = { SYSTEM(X) };
#undef X

_Static_assert(VCPU_REGS <= SELECTOR, "a register's number and a bit");
_Static_assert(ARRAY_SIZE(wide_core) + ARRAY_SIZE(system_regs) <= GDB_MAX_REGS, "too many");

static bool narrow; /* this session's */

void debug_begin(struct vm *vm)
{
	narrow = !(vcpu_get(&debug_view(vm, 0)->cpu, VCPU_EFER) & EFER_LMA);
}

unsigned debug_width(const struct vm *vm)
{
	(void)vm;
	return narrow ? 32 : 64;
}

unsigned debug_core_regs(const struct vm *vm)
{
	(void)vm;
	return narrow ? ARRAY_SIZE(narrow_core) : ARRAY_SIZE(wide_core);
}

unsigned debug_regs(const struct vm *vm)
{
	return debug_core_regs(vm) + (unsigned)ARRAY_SIZE(system_regs);
}

const char *debug_xml(const struct vm *vm)
{
	(void)vm;
	return narrow ? narrow_xml : wide_xml;
}

static const struct place *place_of(const struct vm *vm, unsigned reg)
{
	const unsigned core = debug_core_regs(vm);

	if (reg >= core)
		return &system_regs[reg - core];
	return narrow ? &narrow_core[reg] : &wide_core[reg];
}

unsigned debug_reg_bytes(const struct vm *vm, unsigned reg)
{
	const struct place *p = place_of(vm, reg);

	return p->bytes | (p->source == NOT_SHOWN ? GDB_NOT_SHOWN : 0u);
}

uint64_t debug_reg_read(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg)
{
	const struct place *p = place_of(vm, reg);
	uint64_t value;

	if (p->source == NOT_SHOWN)
		return 0;
	value = vcpu_get(&view->cpu, p->source & (SELECTOR - 1));
	if (p->source & SELECTOR)
		return VCPU_SEG_SELECTOR(value);
	if (p->source & LIMIT)
		return VCPU_SEG_LIMIT(value);
	return p->bytes == 4 ? (uint32_t)value : value;
}

/* Selectors and limits are parts of what only the processor loads. */
bool debug_reg_write(const struct vm *vm, struct vcpu_sel4 *view, unsigned reg, uint64_t value)
{
	const struct place *p = place_of(vm, reg);

	if (p->source & (SELECTOR | LIMIT))
		return debug_reg_read(vm, view, reg) == value;
	if (p->source == VCPU_RIP) /* not behind an instruction that is half done */
		vcpu_set(&view->cpu, VCPU_SHADOW, 0);
	vcpu_set(&view->cpu, p->source, value);
	return true;
}

uint64_t debug_flags(struct vcpu *v, const char **name)
{
	*name = "rflags";
	return vcpu_get(v, VCPU_RFLAGS);
}
