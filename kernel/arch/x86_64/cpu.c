/* Descriptor tables and control registers, and the switch between threads. */
#include <abi/invocation.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/link.h>
#include <arch/trap.h>
#include <arch/vcpu.h>
#include <arch/vspace.h>
#include <kernel/arch.h>
#include <kernel/cpu.h>
#include <kernel/panic.h>

/* Descriptors (SDM 3, 3.4.5): 64-bit code, data, by privilege. */
#define DESC_CODE 0x00209a0000000000ull
#define DESC_DATA 0x0000920000000000ull
#define DESC_USER (3ull << 45)
#define DESC_TSS_AVAILABLE 0x0000890000000000ull
#define GATE_INTERRUPT 0x8e00ull
#define GATE_USER (3ull << 13)
#define IST_PANIC 1
#define XCR0_VALUE 3u /* x87, SSE */
#define MXCSR_RESET 0x1f80u

struct gate {
	uint16_t offset0, selector;
	uint16_t how; /* stack table, type, privilege */
	uint16_t offset1;
	uint32_t offset2, reserved;
};

static struct __attribute__((packed)) {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
} tss;
_Static_assert(sizeof(tss) == 104, "SDM 3, 8.7");

static uint64_t gdt[SEL_TSS / 8 + 2];
static struct gate idt[256];
struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};
/* guest.S loads it again: exits leave the largest limit behind. */
extern const struct table_pointer gdt_pointer;
const struct table_pointer gdt_pointer = { sizeof(gdt) - 1, (word_t)gdt };

static void init_gdt(void)
{
	word_t base = (word_t)&tss;

	gdt[SEL_KERNEL_CODE / 8] = DESC_CODE;
	gdt[SEL_KERNEL_DATA / 8] = DESC_DATA;
	gdt[SEL_USER_CODE / 8] = DESC_CODE | DESC_USER;
	gdt[SEL_USER_DATA / 8] = DESC_DATA | DESC_USER;
	gdt[SEL_USER_CODE_SYSRET / 8] = DESC_CODE | DESC_USER;
	gdt[SEL_TSS / 8] = DESC_TSS_AVAILABLE | (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
			   (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
	tss.ist[IST_PANIC - 1] = (word_t)panic_stack_top;
	tss.io_map = sizeof(tss); /* no port is anybody's */

	/* The local table after reset is at address 0, which is a user's. */
	/* clang-format off */
	__asm__ volatile("lgdt %0\n\tpushq %1\n\tlea 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n"
		"1:\n\tmov %2, %%ss\n\tltr %w3\n\tlldt %w4" ::"m"(gdt_pointer),
		"i"(SEL_KERNEL_CODE), "r"(SEL_KERNEL_DATA), "r"(SEL_TSS), "r"(0) : "rax", "memory");
	/* clang-format on */
}

/* Users may raise breakpoints, and what the ABI makes system calls of. */
static bool user_may_raise(unsigned vector) { return vector == 3 || vector > VECTOR_TIMER; }
/* They come whatever the kernel is doing: NMI, double fault (machine checks are off). */
static bool needs_own_stack(unsigned vector) { return vector == 2 || vector == 8; }

static void init_idt(void)
{
	struct table_pointer p = { sizeof(idt) - 1, (word_t)idt };

	for (unsigned i = 0; i < 256; i++) {
		word_t at = (word_t)vector_stubs + i * VECTOR_STUB_BYTES;
		word_t how = GATE_INTERRUPT | (user_may_raise(i) ? GATE_USER : 0) |
			     (needs_own_stack(i) ? IST_PANIC : 0);
		idt[i] = (struct gate){ (uint16_t)at, SEL_KERNEL_CODE, (uint16_t)how,
					(uint16_t)(at >> 16), (uint32_t)(at >> 32), 0 };
	}
	__asm__ volatile("lidt %0" ::"m"(p));
}

const word_t cpu_tables[3] = { (word_t)gdt, (word_t)idt, (word_t)&tss };

static void xcr0_write(uint32_t v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(v), "d"(0));
}

static uint32_t xcr0_read(void)
{
	uint32_t low, high;

	/* clang-format off */
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	/* clang-format on */
	return low;
}

/* Intel's that do not say they are free of it and of Meltdown. */
static bool speculates_past_protection(void)
{
	struct cpuid vendor = cpuid(0, 0);
	bool intel = vendor.b == 0x756e6547 && vendor.d == 0x49656e69 && vendor.c == 0x6c65746e;
	bool says = cpuid(7, 0).d & 1u << 29;

	return intel && !(says && msr_read(MSR_ARCH_CAPABILITIES) & 1);
}

void cpu_init_tables(void)
{
	struct arch_cpu *cpu = &this_cpu()->arch;
	uint32_t features = cpuid(7, 0).b;
	word_t cr4 = CR_READ(4) | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE |
		     CR4_OSXSAVE;

	init_gdt();
	init_idt();
	cr4 |= features & 1u << 7 ? CR4_SMEP : 0;
	cr4 |= features & 1u << 20 ? CR4_SMAP : 0;
	CR_WRITE(4, cr4);
	CR_WRITE(0, CR0_VALUE | CR0_TS);
	xcr0_write(XCR0_VALUE);
	if (cpuid(0xd, 0).b > sizeof(struct fpu_area))
		panic("this CPU's XSAVE area is too large");
	cpu->fpu_leaks = speculates_past_protection();
	cpu->special = cpu->pcids || cpu->fpu_leaks;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
	msr_write(MSR_STAR, (word_t)(SEL_USER_CODE) << 48 | (word_t)SEL_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (word_t)syscall_entry);
	msr_write(MSR_FMASK, RFLAGS_KERNEL_MASK);
	msr_write(MSR_SYSENTER_CS, 0); /* nobody enters by that */
	cpu->kernel_stack = (word_t)kernel_stack_top;
	msr_write(MSR_GS_BASE, (word_t)cpu);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	msr_write(MSR_FS_BASE, 0);
}

/*
 * --- FPU: registers stay with their last user until another one traps ---
 * Where the processor may let others see them meanwhile (LazyFP), they are saved and
 * cleared as soon as their user is left.
 */
static void fpu_set_open(struct arch_cpu *cpu, bool open)
{
	if (cpu->fpu_open == open)
		return;
	cpu->fpu_open = open;
	if (open)
		__asm__ volatile("clts");
	else
		CR_WRITE(0, CR0_VALUE | CR0_TS);
}

static void fpu_save(struct fpu_state *f)
{
	/* clang-format off */
	__asm__ volatile("xsave64 %0" : "+m"(f->area) : "a"(3), "d"(0) : "memory");
	/* clang-format on */
}

static void fpu_restore(const struct fpu_area *area)
{
	/* clang-format off */
	__asm__ volatile("xrstor64 %0" ::"m"(*area), "a"(3), "d"(0) : "memory");
	/* clang-format on */
}

void fpu_leave(struct fpu_state *f, bool save)
{
	static const struct fpu_area clear = { .mxcsr = MXCSR_RESET };
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (cpu->fpu_owner != f)
		return;
	fpu_set_open(cpu, true);
	if (save)
		fpu_save(f);
	fpu_restore(&clear);
	cpu->fpu_owner = NULL;
	fpu_set_open(cpu, false);
}

void fpu_take(struct fpu_state *f)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	fpu_set_open(cpu, true);
	/* Emulators let guests execute XSETBV, whatever the intercepts. */
	if (!vmx_on && xcr0_read() != XCR0_VALUE)
		xcr0_write(XCR0_VALUE);
	if (cpu->fpu_owner == f)
		return;
	if (cpu->fpu_owner)
		fpu_save(cpu->fpu_owner);
	if (!f->valid)
		f->area.mxcsr = MXCSR_RESET;
	f->valid = true;
	fpu_restore(&f->area);
	cpu->fpu_owner = f;
}

word_t *fpu_words(struct fpu_state *f)
{
	fpu_take(f); /* of one that nobody has used, too, all is valid then */
	fpu_leave(f, true);
	((word_t *)&f->area)[sizeof(f->area) / sizeof(word_t) - 8] = XCR0_VALUE; /* XSTATE_BV */
	return (word_t *)&f->area;
}

/* --- FS and GS bases: users write them at will, so they are read back --- */
static word_t gs_base_exchange(word_t v)
{
	word_t was;

	/* clang-format off */
	__asm__ volatile("swapgs\n\trdgsbase %0\n\twrgsbase %1\n\tswapgs"
			 : "=&r"(was) : "r"(v) : "memory");
	/* clang-format on */
	return was;
}

static void bases_exchange(struct arch_cpu *cpu, struct tcb *t)
{
	struct tcb *before = cpu->bases_owner;
	word_t fs, gs = gs_base_exchange(t->arch.context.gs_base);

	/* clang-format off */
	__asm__ volatile("rdfsbase %0\n\twrfsbase %1"
			 : "=&r"(fs) : "r"(t->arch.context.fs_base));
	/* clang-format on */
	if (before) {
		before->arch.context.fs_base = fs;
		before->arch.context.gs_base = gs;
	}
	cpu->bases_owner = t;
}

void cpu_sync_bases(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (cpu->bases_owner != t)
		return;
	t->arch.context.gs_base = gs_base_exchange(0);
	/* clang-format off */
	__asm__ volatile("rdfsbase %0" : "=r"(t->arch.context.fs_base));
	/* clang-format on */
	cpu->bases_owner = NULL;
}

/* --- switching --- */
static paddr_t root_of(const struct tcb *t)
{
	struct cap c = t->slots[TCB_VSPACE].cap;

	return arch_cap_is_valid_vspace(c) ? cap_addr(c) : asid_empty_root();
}

static inline struct tcb *switch_plainly(struct arch_cpu *cpu, struct tcb *t, paddr_t root)
{
	if (cpu->root != root) {
		cpu->root = root;
		CR_WRITE(3, root);
	}
	if (cpu->bases_owner != t)
		bases_exchange(cpu, t);
	if (unlikely(cpu->fpu_owner == &t->arch.fpu))
		fpu_set_open(cpu, !t->arch.fpu_disabled);
	else
		fpu_set_open(cpu, false);
	return t;
}

/* What only some processors need, before the rest. */
static NOINLINE struct tcb *switch_specially(struct arch_cpu *cpu, struct tcb *t, paddr_t root)
{
	bool empty = root == asid_empty_root();

	if (cpu->pcids && cpu->root != root)
		asid_load(root, empty ? 0 : cap_map_asid(t->slots[TCB_VSPACE].cap));
	if (cpu->fpu_leaks && cpu->fpu_owner && cpu->fpu_owner != &t->arch.fpu)
		fpu_leave(cpu->fpu_owner, true);
	return switch_plainly(cpu, t, root);
}

struct tcb *arch_switch_to(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (t->arch.guest)
		return vcpu_switch_to(t);
	paddr_t root = root_of(t);

	cpu->context = &t->arch.context;
	tss.rsp[0] = (word_t)t + ARCH_CONTEXT_FRAME_END;
	if (unlikely(cpu->special))
		return switch_specially(cpu, t, root);
	return switch_plainly(cpu, t, root);
}

void arch_space_changed(struct tcb *t)
{
	if (this_cpu()->current == t)
		(void)arch_switch_to(t);
}

void arch_switch_to_idle(void) {}

void arch_tcb_destroy(struct tcb *t)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (cpu->bases_owner == t)
		cpu->bases_owner = NULL;
	fpu_leave(&t->arch.fpu, false);
	vcpu_bind(NULL, t);
	hidden_slot_set(&t->arch.ept, cap_null(), NULL);
}

void arch_tcb_flags_changed(struct tcb *t)
{
	t->arch.fpu_disabled = t->flags & ABI_TCB_FLAG_FPU_DISABLED;
	arch_space_changed(t);
}
