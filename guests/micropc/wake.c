/*
 * Interrupts of the kick device in every state that the processor can be in when they come:
 * none is lost and none comes twice. By the I/O APIC and an x2APIC, or, `wake=pic` on the
 * command line, by the 8259s.
 */
#include "micropc.h"

#define ROUNDS 8000u
#define KICK 0xb04
#define LINE 15u
#define VECTOR_APIC 0x40u
#define VECTOR_PIC 0x20u
#define PIC1 0x20
#define PIC2 0xa0
#define EOI 0x20
#define IOAPIC 0xfec00000ull
#define MSR_APIC_BASE 0x1bu
#define MSR_SPURIOUS 0x80fu
#define MSR_EOI 0x80bu

void wake_irq(void);
void wake_entry(void);

static volatile unsigned arrived;
static bool by_pic;

__asm__("wake_entry:\n"
	"push %rax\n"
	"push %rcx\n"
	"push %rdx\n"
	"push %rsi\n"
	"push %rdi\n"
	"push %r8\n"
	"push %r9\n"
	"push %r10\n"
	"push %r11\n"
	"cld\n"
	"call wake_irq\n"
	"pop %r11\n"
	"pop %r10\n"
	"pop %r9\n"
	"pop %r8\n"
	"pop %rdi\n"
	"pop %rsi\n"
	"pop %rdx\n"
	"pop %rcx\n"
	"pop %rax\n"
	"iretq\n");

static void write_msr(uint32_t msr, uint32_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"(value), "d"(0)
			 : "memory");
}

void wake_irq(void)
{
	arrived++;
	if (!by_pic) {
		write_msr(MSR_EOI, 0);
		return;
	}
	out8(PIC2, EOI);
	out8(PIC1, EOI);
}

static void set_up_pic(void)
{
	static const uint8_t words[4][2] = {
		{ 0x11, 0x11 }, { VECTOR_PIC, VECTOR_PIC + 8 }, { 4, 2 }, { 1, 1 }
	};

	for (unsigned i = 0; i < 4; i++) {
		out8(PIC1 + (i != 0), words[i][0]);
		out8(PIC2 + (i != 0), words[i][1]);
	}
	out8(PIC1 + 1, 0xfb); /* the second one's */
	out8(PIC2 + 1, (uint8_t) ~(1u << (LINE - 8)));
}

static void set_up_apic(void)
{
	volatile uint32_t *io = (volatile uint32_t *)IOAPIC;

	out8(PIC1 + 1, 0xff);
	out8(PIC2 + 1, 0xff);
	write_msr(MSR_APIC_BASE, 0xfee00d00);
	write_msr(MSR_SPURIOUS, 0x1ff);
	io[0] = 0x10 + 2 * LINE;
	io[4] = VECTOR_APIC;
}

static void kick(void) { out8(KICK, 0); }

/* Some time, at times with an exit. */
static void dawdle(void)
{
	for (volatile unsigned n = (unsigned)pc_random() % 64; n > 0; n--)
		;
	if (pc_random() & 1)
		(void)in8(PIC1 + 1);
}

static void round_of(unsigned kind, unsigned before)
{
	switch (kind) {
	case 0: /* while it takes them */
		__asm__ volatile("sti");
		kick();
		break;
	case 1: /* before it takes them */
		kick();
		dawdle();
		__asm__ volatile("sti");
		break;
	case 2: /* STI is followed by HLT: it wakes */
		kick();
		dawdle();
		__asm__ volatile("sti\n\thlt" ::
					 : "memory");
		break;
	default: /* as kernels wait */
		__asm__ volatile("sti");
		dawdle();
		kick();
		__asm__ volatile("cli");
		while (arrived == before)
			__asm__ volatile("sti\n\thlt\n\tcli" ::
						 : "memory");
		__asm__ volatile("sti");
		break;
	}
	while (arrived == before)
		;
	dawdle();
	__asm__ volatile("cli" ::
				 : "memory");
}

void main(void)
{
	uint64_t at = (uintptr_t)wake_entry, mask = 0xffff;
	uint64_t *gate;

	by_pic = pc_told("wake=pic");
	gate = &idt[2 * (by_pic ? VECTOR_PIC + LINE : VECTOR_APIC)];
	gate[0] = (gate[0] & ~(mask << 48 | mask)) | (at & mask) | (at >> 16 & mask) << 48;
	if (by_pic)
		set_up_pic();
	else
		set_up_apic();
	pc_seed(by_pic);
	for (unsigned i = 0; i < ROUNDS; i++) {
		round_of((unsigned)(pc_random() >> 40) & 3, i);
		if (arrived != i + 1) {
			pc_print("wake: one came twice\n");
			return;
		}
	}
	pc_print("wake: ok\n");
}
