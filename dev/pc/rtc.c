#include <dev/pc/rtc.h>

#include <dev/pc/isa.h>
#include <dev/pc/ticks.h>
#include <string.h>

enum { SECONDS = 0,
       SECONDS_ALARM = 1,
       MINUTES = 2,
       MINUTES_ALARM = 3,
       HOURS = 4,
       HOURS_ALARM = 5,
       WEEKDAY = 6,
       DAY = 7,
       MONTH = 8,
       YEAR = 9,
       REG_A = 0x0a,
       REG_B = 0x0b,
       REG_C = 0x0c,
       REG_D = 0x0d,
       MEMORY = 0x0e,
       CENTURY = 0x32 };

#define A_UPDATING (1u << 7)
#define A_DIVIDER 0x70u
#define A_RUNS 0x20u /* a crystal of 32,768 Hz */
#define A_RATE 0x0fu
#define B_SET (1u << 7)
#define B_PERIODIC (1u << 6)
#define B_ALARM (1u << 5)
#define B_UPDATE (1u << 4)
#define B_BINARY (1u << 2)
#define B_24H (1u << 1)
#define C_IRQ (1u << 7)
/* C_… are B's enables at the same bits. */
#define C_CAUSES (B_PERIODIC | B_ALARM | B_UPDATE)
#define D_VALID (1u << 7)
#define PM (1u << 7)
#define ANY 0xc0u /* an alarm byte from here on matches everything */
#define CRYSTAL_HZ 32768u
#define UPDATE_NS 2228000u /* how long before an update UIP is up: 244 us + 1,984 us */
#define DAY_S 86400u
#define NEVER UINT64_MAX

static uint64_t now(const struct rtc *r)
{
	return r->env.now_ns(r->env.opaque);
}

static bool runs(const struct rtc *r)
{
	return !(r->cmos[REG_B] & B_SET) && (r->cmos[REG_A] & A_DIVIDER) == A_RUNS;
}

static uint64_t since(const struct rtc *r)
{
	uint64_t t = now(r);

	return t > r->base_ns ? t - r->base_ns : 0;
}

/* --- Time and date as bytes --------------------------------------------------------------- */

static uint8_t encode(const struct rtc *r, unsigned n)
{
	return (uint8_t)(r->cmos[REG_B] & B_BINARY ? n : (n / 10) << 4 | n % 10);
}

static unsigned decode(const struct rtc *r, unsigned byte)
{
	return r->cmos[REG_B] & B_BINARY ? byte : (byte >> 4) * 10 + (byte & 15);
}

static uint8_t encode_hour(const struct rtc *r, unsigned hour)
{
	if (r->cmos[REG_B] & B_24H)
		return encode(r, hour);
	return (uint8_t)(encode(r, (hour + 11) % 12 + 1) | (hour >= 12 ? PM : 0));
}

static unsigned decode_hour(const struct rtc *r, unsigned byte)
{
	if (r->cmos[REG_B] & B_24H)
		return decode(r, byte) % 24;
	return decode(r, byte & ~PM) % 12 + (byte & PM ? 12 : 0);
}

/* Days since 1 March of year 0, a year beginning with March: then the leap day is
 * the last of a year, and 153 days are five months. */
static uint64_t days_of(uint64_t year, unsigned month, unsigned day)
{
	uint64_t y = year - (month < 3), m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
}

#define DAYS_1970 719468u

static void put_date(struct rtc *r, uint64_t days)
{
	uint64_t d = days + DAYS_1970;
	uint64_t era = d / 146097, in_era = d % 146097;
	uint64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;
	uint64_t year = era * 400 + y + (m >= 10);

	r->cmos[WEEKDAY] = encode(r, (unsigned)((days + 4) % 7 + 1)); /* Sunday is 1 */
	r->cmos[DAY] = encode(r, (unsigned)(in_year - (153 * m + 2) / 5 + 1));
	r->cmos[MONTH] = encode(r, (unsigned)(m < 10 ? m + 3 : m - 9));
	r->cmos[YEAR] = encode(r, (unsigned)(year % 100));
	r->cmos[CENTURY] = encode(r, (unsigned)(year / 100 % 100));
}

static void put_time(struct rtc *r)
{
	uint64_t s = r->base_s + since(r) / TICKS_NS_PER_S;
	unsigned in_day = (unsigned)(s % DAY_S);

	r->cmos[SECONDS] = encode(r, in_day % 60);
	r->cmos[MINUTES] = encode(r, in_day / 60 % 60);
	r->cmos[HOURS] = encode_hour(r, in_day / 3600);
	put_date(r, s / DAY_S);
}

/* Whatever stands in the bytes; before 1970 is 1970. */
static uint64_t get_time(const struct rtc *r)
{
	uint64_t year = decode(r, r->cmos[CENTURY]) * 100u + decode(r, r->cmos[YEAR]);
	unsigned month = decode(r, r->cmos[MONTH]) % 13, day = decode(r, r->cmos[DAY]) % 32;
	uint64_t days = year < 1970 ? DAYS_1970
				    : days_of(year, month ? month : 1, day ? day : 1);

	return (days - DAYS_1970) * DAY_S + decode_hour(r, r->cmos[HOURS]) * 3600u +
	       decode(r, r->cmos[MINUTES]) % 60 * 60u + decode(r, r->cmos[SECONDS]) % 60;
}

/* --- Interrupts --------------------------------------------------------------------------- */

static void update(struct rtc *r)
{
	bool level = (r->cmos[REG_B] & r->cmos[REG_C] & C_CAUSES) != 0;

	r->cmos[REG_C] = (uint8_t)((r->cmos[REG_C] & C_CAUSES) | (level ? C_IRQ : 0));
	if (level == r->irq)
		return;
	r->irq = level;
	r->env.set_irq(r->env.opaque, 0, level);
}

/* Counts of the crystal from one periodic interrupt to the next; 0: none. */
static uint64_t period(const struct rtc *r)
{
	unsigned rate = r->cmos[REG_A] & A_RATE;

	if (rate == 0 || (r->cmos[REG_A] & A_DIVIDER) != A_RUNS)
		return 0;
	return 1ull << (rate < 3 ? rate + 6 : rate - 1);
}

static bool alarm_byte(uint8_t alarm, uint8_t byte)
{
	return (alarm & ANY) == ANY || alarm == byte;
}

/* The first second behind `from` at which the alarm is due, within a day. */
static uint64_t next_alarm(const struct rtc *r, uint64_t from)
{
	uint64_t s = from + 1;
	unsigned second = 0;

	while (second < 60 && !alarm_byte(r->cmos[SECONDS_ALARM], encode(r, second)))
		second++;
	if (second == 60)
		return NEVER; /* the byte is none that a second has */
	/* Each step passes an hour, a minute or, in a minute that is right, a
	 * second: some 1,500 steps at most. */
	while (s - from <= DAY_S) {
		unsigned in_day = (unsigned)(s % DAY_S);

		if (!alarm_byte(r->cmos[HOURS_ALARM], encode_hour(r, in_day / 3600)))
			s += 3600 - in_day % 3600;
		else if (!alarm_byte(r->cmos[MINUTES_ALARM], encode(r, in_day / 60 % 60)))
			s += 60 - in_day % 60;
		else if (!alarm_byte(r->cmos[SECONDS_ALARM], encode(r, in_day % 60)))
			s++;
		else
			return s;
	}
	return NEVER;
}

/* What has come about since the last look. */
static void look(struct rtc *r)
{
	uint64_t s = since(r) / TICKS_NS_PER_S, ticks = ticks_from_ns(now(r), CRYSTAL_HZ);

	if (runs(r) && s > r->seen_s) {
		r->cmos[REG_C] |= B_UPDATE;
		if (next_alarm(r, r->base_s + r->seen_s) <= r->base_s + s)
			r->cmos[REG_C] |= B_ALARM;
		r->seen_s = s;
	}
	if (period(r) != 0 && ticks / period(r) > r->seen_ticks / period(r))
		r->cmos[REG_C] |= B_PERIODIC;
	if (ticks > r->seen_ticks)
		r->seen_ticks = ticks;
	update(r);
}

void rtc_expired(struct rtc *r)
{
	look(r);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t rtc_deadline(const struct rtc *r)
{
	uint8_t wanted = r->cmos[REG_B];
	uint64_t first = NEVER, s = NEVER;

	if (r->irq) /* nothing new until it is heard */
		return NEVER;
	if ((wanted & B_PERIODIC) && period(r) != 0)
		first = ticks_to_ns((r->seen_ticks / period(r) + 1) * period(r), CRYSTAL_HZ);
	if (!runs(r))
		return first;
	if (wanted & B_UPDATE)
		s = r->base_s + r->seen_s + 1;
	if (wanted & B_ALARM)
		s = earlier(s, next_alarm(r, r->base_s + r->seen_s));
	if (s != NEVER)
		first = earlier(first, r->base_ns + (s - r->base_s) * TICKS_NS_PER_S);
	return first;
}

/* --- Ports -------------------------------------------------------------------------------- */

static bool is_time(unsigned i)
{
	return (i < REG_A && !(i < WEEKDAY && (i & 1))) || i == CENTURY;
}

/* From now on it counts from what its bytes say; the next update is in a second,
 * or half of one if the divider was held in reset (figure 14, note). */
static void start(struct rtc *r, bool from_reset)
{
	uint64_t half = TICKS_NS_PER_S / 2;

	r->base_s = get_time(r);
	r->base_ns = now(r);
	r->seen_s = 0;
	if (from_reset && r->base_ns >= half)
		r->base_ns -= half;
}

static uint8_t data_read(struct rtc *r)
{
	uint8_t value;

	if (runs(r) && is_time(r->index))
		put_time(r);
	value = r->cmos[r->index];
	switch (r->index) {
	case REG_A:
		if (runs(r) && since(r) % TICKS_NS_PER_S >= TICKS_NS_PER_S - UPDATE_NS)
			value |= A_UPDATING;
		return value;
	case REG_C:
		r->cmos[REG_C] = 0; /* heard */
		return value;
	case REG_D: return D_VALID;
	default: return value;
	}
}

static void set_control(struct rtc *r, uint8_t value)
{
	bool was = runs(r), reset = (r->cmos[REG_A] & A_DIVIDER) != A_RUNS;

	if (was)
		put_time(r); /* if it stops here, this is what it shows */
	r->cmos[r->index] = r->index == REG_A ? value & 0x7f : value;
	if (r->cmos[REG_B] & B_SET)
		r->cmos[REG_B] &= (uint8_t)~B_UPDATE;
	if (!was && runs(r))
		start(r, reset);
}

static void data_write(struct rtc *r, uint8_t value)
{
	uint64_t fraction;

	if (r->index == REG_A || r->index == REG_B) {
		set_control(r, value);
	} else if (is_time(r->index) && runs(r)) {
		/* Set while it runs: the others go on, and so does the second. */
		put_time(r);
		r->cmos[r->index] = value;
		fraction = since(r) % TICKS_NS_PER_S;
		start(r, false);
		r->base_ns -= fraction;
	} else if (r->index != REG_C && r->index != REG_D) {
		r->cmos[r->index] = value;
	}
}

static uint8_t read(void *device, unsigned port)
{
	struct rtc *r = device;
	uint8_t value;

	if (port == 0)
		return 0xff; /* the index is write-only */
	look(r);
	value = data_read(r);
	update(r);
	return value;
}

static void write(void *device, unsigned port, uint8_t value)
{
	struct rtc *r = device;

	if (port == 0) {
		r->index = value & (RTC_BYTES - 1);
		r->nmi_masked = value & 0x80;
		return;
	}
	look(r);
	data_write(r, value);
	update(r);
}

enum mmio_outcome rtc_access(struct rtc *r, struct mmio *m)
{
	static const struct isa_class class = { read, write };

	if (m->offset + m->size > RTC_PORTS)
		return mmio_ignore(m, "access size");
	return isa_access(&class, r, m);
}

void rtc_set_byte(struct rtc *r, unsigned index, uint8_t value)
{
	if (index >= MEMORY && index < RTC_BYTES && index != CENTURY)
		r->cmos[index] = value;
}

void rtc_save(const struct rtc *r, uint8_t memory[RTC_MEMORY])
{
	memcpy(memory, &r->cmos[MEMORY], RTC_MEMORY);
}

void rtc_load(struct rtc *r, const uint8_t memory[RTC_MEMORY])
{
	for (unsigned i = 0; i < RTC_MEMORY; i++)
		rtc_set_byte(r, MEMORY + i, memory[i]);
}

bool rtc_nmi_masked(const struct rtc *r)
{
	return r->nmi_masked;
}

void rtc_reset(struct rtc *r)
{
	r->index = 0;
	r->nmi_masked = false;
	r->cmos[REG_B] &= (uint8_t)~C_CAUSES;
	r->cmos[REG_C] = 0;
	update(r);
}

void rtc_init(struct rtc *r, const struct timer_env *env, uint64_t seconds)
{
	*r = (struct rtc){ .env = *env };
	r->cmos[REG_A] = A_RUNS | 6; /* 1,024 Hz, as firmware leaves it */
	r->cmos[REG_B] = B_24H;
	r->base_s = seconds;
	r->base_ns = now(r);
	r->seen_ticks = ticks_from_ns(r->base_ns, CRYSTAL_HZ);
}
