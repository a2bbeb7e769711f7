/*
 * Direct interrupts (docs/decisions/0015): SGIs of a group of vCPUs, the
 * virtual timer and bound notifications become pending in list registers that
 * the VMM has given up. The last of these is the timer's, linked to the
 * physical interrupt, which the guest's end of it deactivates. The others take
 * what is pending and enabled, the most urgent first; what finds no room waits
 * in `pending`, and then each of them reports when it is empty.
 */
#include <arch/gic.h>
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/notification.h>
#include <kernel/sched.h>

#define TIMER PPI_VIRTUAL_TIMER
#define CNTV_ASSERTED 5 /* CNTV_CTL_EL0: ENABLE, ISTATUS, not IMASK */
#define CONF_MASK (0xffull << LR_PRIORITY_SHIFT | LR_GROUP1 | LR_PENDING)
#define PRIORITY(lr) ((lr) >> LR_PRIORITY_SHIFT & 0xff)
/* ICC_SGI1R_EL1: ISS of an MSR without Rt; all but the sender, affinities. */
#define ISS_NOT_RT 0x3ffc1full
#define ISS_SGI1R (3ull << 20 | 5ull << 17 | 12ull << 10 | 11ull << 1)
#define SGIR_IRM (1ull << 40)
#define SGIR_AFFINITY 0x00fff0ff00ff0000ull

static unsigned timer_lr(void) { return vgic_lr_count() - 1; }
unsigned direct_user_lrs(const struct vcpu *v) { return vgic_lr_count() - v->direct.lrs; }

static uint64_t get_lr(const struct vcpu *v, unsigned i)
{
	return arch_cpu()->el1_owner == v ? vgic_read_lr(i) : v->vgic.lr[i];
}

static void set_lr(struct vcpu *v, unsigned i, uint64_t value)
{
	v->vgic.lr[i] = value;
	if (arch_cpu()->el1_owner == v)
		vgic_write_lr(i, value);
}

static uint64_t most_urgent(const struct vcpu_direct *d, word_t ready)
{
	unsigned best = (unsigned)__builtin_ctzll(ready);

	while (ready &= ready - 1) {
		unsigned s = (unsigned)__builtin_ctzll(ready);

		best = PRIORITY(d->conf[s]) < PRIORITY(d->conf[best]) ? s : best;
	}
	return d->conf[best] | best;
}

/* Changes what is pending, and fills the list registers anew. What the guest
 * has acknowledged stays where it is; it may be pending again there. */
static void update(struct vcpu *v, word_t clear, word_t set)
{
	struct vcpu_direct *d = &v->direct;
	unsigned first = direct_user_lrs(v), end = timer_lr();
	uint64_t old[VGIC_LRS], lr[VGIC_LRS];
	word_t listed = 0, ready;

	for (unsigned i = first; i < end; i++) {
		old[i] = get_lr(v, i);
		lr[i] = old[i] & LR_ACTIVE ? old[i] & ~(LR_PENDING | LR_EOI) : 0;
		d->pending |= (old[i] >> 62 & 1) << LR_SOURCE(old[i]);
		listed |= old[i] >> 63 << LR_SOURCE(old[i]);
	}
	d->pending = (d->pending & ~clear) | set;
	ready = d->pending & d->enabled;
	for (unsigned i = first; i < end && ready; i++) {
		if (!lr[i] && (ready & ~listed))
			lr[i] = most_urgent(d, ready & ~listed);
		else if (lr[i] && ready >> LR_SOURCE(lr[i]) & 1)
			lr[i] |= LR_PENDING;
		else
			continue;
		listed |= 1ull << LR_SOURCE(lr[i]);
		ready &= ~listed;
		d->pending &= ~(1ull << LR_SOURCE(lr[i]));
	}
	for (unsigned i = first; i < end; i++) {
		lr[i] |= lr[i] && ready ? LR_EOI : 0;
		if (lr[i] != old[i])
			set_lr(v, i, lr[i]);
	}
}

/* In WFI, as far as the kernel knows: its handler has to hear of it. */
static void wake(const struct vcpu *v)
{
	struct cap c = v->direct.wake.cap;

	if (v->tcb && v->tcb->state == THREAD_ON_REPLY && cap_type(c) == CAP_NOTIFICATION)
		ntfn_post(cap_object(c), cap_badge(c));
}

static void pend(struct vcpu *v, word_t source)
{
	struct vcpu_direct *d = &v->direct;
	unsigned i = direct_user_lrs(v);

	d->pending |= 1ull << source;
	if (!(d->enabled >> source & 1))
		return;
	if (d->lrs == 2 && (d->pending & d->enabled) == 1ull << source &&
	    !(get_lr(v, i) & LR_STATE_MASK)) { /* most often: nothing to choose */
		d->pending &= ~(1ull << source);
		set_lr(v, i, d->conf[source] | source);
	} else {
		update(v, 0, 0);
	}
	wake(v);
}

void arch_direct_signal(struct notification *n) { pend(n->direct, n->direct_source); }

void arch_direct_unbind(struct notification *n)
{
	n->direct->direct.ntfn[n->direct_source - ABI_DIRECT_NTFN0] = NULL;
	n->direct = NULL;
}

/* --- SGIs --- */

static unsigned affinity(const struct vcpu *v) { return v->regs[ABI_VCPU_VMPIDR_EL2] & 63; }

static void send_sgi(struct vcpu *v, word_t targets, word_t sgi)
{
	struct vcpu *u = v;

	if (targets == 1ull << affinity(v)) {
		pend(v, sgi);
		return;
	}
	/* Others may be woken, and then the thread may have to give way. */
	sched_time_enter();
	do { /* at most ABI_DIRECT_GROUP */
		if (targets >> affinity(u) & 1)
			pend(u, sgi);
		u = u->direct.next;
	} while (u != v);
	(void)sched_check_budget();
	sched_finish();
}

bool direct_sysreg(struct vcpu *v, struct arch_context *c, word_t esr)
{
	unsigned rt = ISS_SYSREG_RT(esr);
	word_t value = rt == REG_ZERO ? 0 : c->x[rt], targets = value & 0xffff;

	if (!v->direct.lrs || v->debug || (esr & ISS_NOT_RT) != ISS_SGI1R)
		return false;
	if (value & SGIR_IRM)
		targets = 0xffff & ~(1ull << affinity(v));
	else if (value & SGIR_AFFINITY)
		return false;
	c->fault_ip = c->elr += 4;
	send_sgi(v, targets, value >> 24 & 15);
	return true;
}

/* GICD_SGIR (IHI 0048B 4.3.15): filter 25:24, targets 23:16, number 3:0. */
void direct_sgir(struct vcpu *v, word_t value)
{
	word_t self = 1ull << affinity(v);
	word_t targets[] = { value >> 16 & 0xff, 0xff & ~self, self, 0 };

	send_sgi(v, targets[value >> 24 & 3], value & 15);
}

uint32_t direct_maintenance(struct vcpu *v, uint32_t eoi)
{
	uint32_t users = (1u << direct_user_lrs(v)) - 1;

	if (eoi & ~users)
		update(v, 0, 0);
	return eoi & users;
}

/* --- the virtual timer --- */

bool direct_vtimer(struct vcpu *v)
{
	uint64_t lr;

	if (!(v->direct.enabled >> TIMER & 1))
		return false;
	lr = vgic_read_lr(timer_lr()) & ~LR_PENDING;
	if (!(lr & LR_ACTIVE)) /* else the VMM made it so: one end for both */
		lr = v->direct.conf[TIMER] | TIMER;
	vgic_write_lr(timer_lr(), lr | LR_HW | LR_PINTID(TIMER));
	gic_set_active(TIMER, true);
	v->direct.timer_listed = true;
	return true;
}

/* Replaces what is in the timer's list register; a link that it had ends. */
static void timer_set(struct vcpu *v, uint64_t value)
{
	uint64_t lr = get_lr(v, timer_lr());

	if ((lr & LR_STATE_MASK) && (lr & LR_HW) && arch_cpu()->el1_owner == v)
		gic_set_active(TIMER, false);
	set_lr(v, timer_lr(), value);
}

void direct_timer_leave(struct vcpu *v)
{
	uint64_t lr = vgic_read_lr(timer_lr());

	/* The line has fallen before the guest looked. */
	if ((lr & LR_STATE_MASK) == LR_PENDING && (v->regs[ABI_VCPU_CNTV_CTL] & 7) != CNTV_ASSERTED)
		timer_set(v, 0);
	v->direct.timer_listed = lr & LR_STATE_MASK;
}

void direct_timer_link(const struct vcpu *v, bool active)
{
	uint64_t lr = v->vgic.lr[timer_lr()];

	if ((lr & LR_STATE_MASK) && (lr & LR_HW))
		gic_set_active(TIMER, active);
}

/* --- state --- */

bool direct_write_lr(struct vcpu *v, unsigned i, uint64_t lr)
{
	if (i == timer_lr()) {
		timer_set(v, (lr & (CONF_MASK | LR_ACTIVE)) | TIMER);
		return true;
	}
	if (LR_SOURCE(lr) == TIMER || (lr & LR_VINTID_MASK) >= ABI_DIRECT_SOURCES)
		return false;
	v->direct.pending |= (get_lr(v, i) >> 62 & 1) << LR_SOURCE(get_lr(v, i));
	set_lr(v, i, lr);
	update(v, 0, 0);
	return true;
}

static bool configure(struct vcpu *v, word_t s, uint64_t conf)
{
	struct vcpu_direct *d = &v->direct;

	if (s >= ABI_DIRECT_SOURCES)
		return false;
	d->conf[s] = conf & CONF_MASK;
	d->enabled = (d->enabled & ~(1ull << s)) | (conf >> 62 & 1) << s;
	if (s == TIMER && (get_lr(v, timer_lr()) & LR_STATE_MASK) == LR_PENDING)
		timer_set(v, 0); /* it comes again, as it is now */
	if (d->pending >> s & d->enabled >> s & 1)
		wake(v);
	update(v, 0, 0);
	return true;
}

bool direct_read(const struct vcpu *v, word_t field, word_t *value)
{
	if (field > ABI_EXTV_DIRECT_ICPEND) {
		field -= ABI_EXTV_DIRECT_CONF0;
		return field < ABI_DIRECT_SOURCES && (*value = v->direct.conf[field], true);
	}
	*value = v->direct.pending;
	for (unsigned i = direct_user_lrs(v); i < vgic_lr_count(); i++)
		*value |= (get_lr(v, i) >> 62 & 1) << LR_SOURCE(get_lr(v, i));
	return true;
}

bool direct_write(struct vcpu *v, word_t field, word_t value)
{
	if (!v->direct.lrs)
		return false;
	value &= ~(1ull << TIMER); /* pending as its line is */
	if (field > ABI_EXTV_DIRECT_ICPEND)
		return configure(v, field - ABI_EXTV_DIRECT_CONF0, value);
	update(v, field == ABI_EXTV_DIRECT_ICPEND ? value : 0,
	       field == ABI_EXTV_DIRECT_ISPEND ? value : 0);
	return true;
}

/* --- invocations --- */

void direct_destroy(struct vcpu *v)
{
	struct vcpu_direct *d = &v->direct;
	struct vcpu *before = v;

	for (unsigned i = 0; i < ABI_DIRECT_SOURCES - ABI_DIRECT_NTFN0; i++)
		if (d->ntfn[i])
			arch_direct_unbind(d->ntfn[i]);
	while (before->direct.next && before->direct.next != v) /* NULL: never used */
		before = before->direct.next;
	before->direct.next = d->next;
	doorbell_set_slot(&d->wake, cap_null(), NULL);
	if (d->lrs)
		timer_set(v, 0);
	for (unsigned i = direct_user_lrs(v); i < vgic_lr_count(); i++)
		set_lr(v, i, 0);
	*d = (struct vcpu_direct){ .next = v };
}

static bool may_join(const struct vcpu *u)
{
	unsigned members = 1;

	for (const struct vcpu *m = u; u->direct.lrs && m->direct.next != u; m = m->direct.next)
		members++;
	return u->direct.lrs && members < ABI_DIRECT_GROUP;
}

/* Number of list registers, GICD_SGIR; notification, perhaps a VCPU. */
static int set_direct(struct invocation *inv, struct vcpu *v)
{
	struct vcpu *u = v;

	if (inv_arg(inv, 0) == 0) {
		direct_destroy(v);
		return ABI_OK;
	}
	if (inv->extra_count < 1)
		return ABI_TRUNCATED_MESSAGE;
	if (inv_arg(inv, 0) < 2 || inv_arg(inv, 0) > vgic_lr_count())
		return inv_range(inv, 2, vgic_lr_count());
	if (!doorbell_cap_ok(inv_extra(inv, 0), ABI_RIGHT_WRITE))
		return inv_invalid_cap(inv, 1);
	if (inv->extra_count > 1) {
		if (cap_type(inv_extra(inv, 1)) != CAP_VCPU)
			return inv_invalid_cap(inv, 2);
		u = cap_object(inv_extra(inv, 1));
	}
	if (v->direct.lrs)
		return ABI_DELETE_FIRST;
	if (u != v && !may_join(u))
		return ABI_ILLEGAL_OPERATION;
	doorbell_set_slot(&v->direct.wake, inv_extra(inv, 0), inv->extra[0]);
	v->direct.lrs = (unsigned)inv_arg(inv, 0);
	v->direct.sgir = gic_version() == 2 ? inv_arg(inv, 1) : 0;
	for (unsigned i = direct_user_lrs(v); i < vgic_lr_count(); i++)
		set_lr(v, i, 0);
	v->direct.next = u->direct.next; /* itself, if it joins nobody */
	u->direct.next = v;
	return ABI_OK;
}

/* Source; notification, or none to unbind. */
static int bind_irq(struct invocation *inv, struct vcpu *v)
{
	struct notification *n, **bound;

	if (inv_arg(inv, 0) < ABI_DIRECT_NTFN0 || inv_arg(inv, 0) >= ABI_DIRECT_SOURCES)
		return inv_range(inv, ABI_DIRECT_NTFN0, ABI_DIRECT_SOURCES - 1);
	bound = &v->direct.ntfn[inv_arg(inv, 0) - ABI_DIRECT_NTFN0];
	if (inv->extra_count < 1) {
		if (*bound)
			arch_direct_unbind(*bound);
		return ABI_OK;
	}
	if (!doorbell_cap_ok(inv_extra(inv, 0), ABI_RIGHT_READ))
		return inv_invalid_cap(inv, 1);
	n = cap_object(inv_extra(inv, 0));
	if (!v->direct.lrs || n->state == NTFN_WAITING || n->bound_tcb || n->direct)
		return ABI_ILLEGAL_OPERATION;
	if (*bound)
		return ABI_DELETE_FIRST;
	*bound = n;
	n->direct = v;
	n->direct_source = inv_arg(inv, 0);
	if (n->state == NTFN_ACTIVE) { /* signalled before */
		n->state = NTFN_IDLE;
		pend(v, n->direct_source);
	}
	return ABI_OK;
}

int direct_invoke(struct invocation *inv, struct vcpu *v)
{
	return inv->label == ABI_EXT_VCPU_BIND_IRQ ? bind_irq(inv, v) : set_direct(inv, v);
}
