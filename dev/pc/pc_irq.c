#include <dev/pc/pc_irq.h>

#include <stddef.h>

#define TIMER_PIN 2u /* ISA line 0; ISA line 2 is the cascade and has no pin */

unsigned pc_irq_of_isa(unsigned line)
{
	return line == 0 ? TIMER_PIN : line;
}

static void update(struct pc_irq *r, unsigned gsi)
{
	bool level = (r->held[gsi] & ~r->cut) != 0;

	if (r->pic != NULL && gsi < I8259_LINES)
		i8259_set_line(r->pic, gsi == TIMER_PIN ? 0 : gsi, level);
	if (r->ioapic != NULL)
		ioapic_set_line(r->ioapic, gsi, level);
}

void pc_irq_set(struct pc_irq *r, unsigned gsi, unsigned source, bool level)
{
	if (gsi == 0 || gsi >= IOAPIC_PINS || source >= PC_IRQ_SOURCES)
		return;
	r->held[gsi] = (r->held[gsi] & ~(1u << source)) | (uint32_t)level << source;
	update(r, gsi);
}

void pc_irq_cut(struct pc_irq *r, unsigned source, bool cut)
{
	if (source >= PC_IRQ_SOURCES)
		return;
	r->cut = (r->cut & ~(1u << source)) | (uint32_t)cut << source;
	for (unsigned gsi = 1; gsi < IOAPIC_PINS; gsi++)
		update(r, gsi);
}

void pc_irq_init(struct pc_irq *r, struct i8259 *pic, struct ioapic *ioapic)
{
	*r = (struct pc_irq){ .pic = pic, .ioapic = ioapic };
}
