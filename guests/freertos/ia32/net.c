/*
 * The network: a modern virtio-net device at its place in board pc's map (virtio 1.2,
 * 4.2, 5.1), by interrupt. It answers ARP and pings for one address, and counts.
 *
 * The device's side is not trusted with more than the frames: what it says of a buffer is
 * checked before it is used.
 */
#include "net.h"

#include <FreeRTOS.h>
#include <string.h>
#include <task.h>

#include "app.h"

#define DEVICE 0xe0101000u /* slot 8: the first connection */
#define LINE 5u
#define VECTOR 0x60u
#define IOAPIC 0xfec00000u
#define APIC_LEVEL (1u << 15)

enum { MAGIC = 0x000,
       VERSION = 0x004,
       ID = 0x008,
       OFFERED = 0x010,
       OFFERED_SEL = 0x014,
       TAKEN = 0x020,
       TAKEN_SEL = 0x024,
       QUEUE_SEL = 0x030,
       QUEUE_MAX = 0x034,
       QUEUE_NUM = 0x038,
       QUEUE_READY = 0x044,
       NOTIFY = 0x050,
       IRQ_STATUS = 0x060,
       IRQ_ACK = 0x064,
       STATUS = 0x070,
       QUEUE_DESC = 0x080,
       QUEUE_DRIVER = 0x090,
       QUEUE_DEVICE = 0x0a0,
       MAC = 0x100 };

#define VIRTIO_MAGIC 0x74726976u
#define VIRTIO_NET 1u
#define F_MAC (1u << 5)
#define F_HIGH 3u /* VERSION_1, ACCESS_PLATFORM */
#define S_DRIVER 3u
#define S_FEATURES 8u
#define S_OK 4u
#define DESC_WRITE 2u

#define N 16u
#define HEADER 12u
#define FRAME 1514u
#define BUFFER 1536u
enum { RX,
       TX,
       QUEUES };

struct desc {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};

static struct queue {
	struct desc desc[N];
	struct {
		uint16_t flags, index, ring[N], event;
	} driver;
	struct {
		uint16_t flags;
		volatile uint16_t index;
		struct {
			uint32_t id, bytes;
		} ring[N];
	} device;
	uint16_t seen;
	uint8_t buffer[N][BUFFER];
} __attribute__((aligned(64))) queue[QUEUES];

static struct net_counts counts;
static uint16_t tx_free; /* buffers that nobody has, a bit each */
static uint8_t mac[6];
static const uint8_t address[4] = { 192, 168, 19, 100 };
static TaskHandle_t task;

static volatile uint32_t *at(uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(DEVICE + offset);
}

static void barrier(void) { __asm__ volatile("lock; addl $0, (%%esp)" ::
						     : "memory", "cc"); }

static bool same(const uint8_t *a, const uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* --- Queues -------------------------------------------------------------------- */

static void offer(unsigned q, uint16_t id, uint32_t bytes)
{
	struct queue *u = &queue[q];

	u->desc[id] = (struct desc){ .address = (uintptr_t)u->buffer[id],
				     .bytes = bytes,
				     .flags = q == RX ? DESC_WRITE : 0 };
	u->driver.ring[u->driver.index % N] = id;
	barrier();
	u->driver.index++;
	barrier();
	*at(NOTIFY) = q;
}

/* A buffer that the device gave back; false: none. */
static bool take(unsigned q, uint16_t *id, uint32_t *bytes)
{
	struct queue *u = &queue[q];

	if (u->seen == u->device.index)
		return false;
	barrier();
	*id = (uint16_t)(u->device.ring[u->seen % N].id % N);
	*bytes = u->device.ring[u->seen % N].bytes;
	u->seen++;
	return true;
}

static void set_address(uint32_t reg, const void *p)
{
	*at(reg) = (uintptr_t)p;
	*at(reg + 4) = 0;
}

static bool start_queue(unsigned q)
{
	*at(QUEUE_SEL) = q;
	if (*at(QUEUE_MAX) < N)
		return false;
	*at(QUEUE_NUM) = N;
	set_address(QUEUE_DESC, queue[q].desc);
	set_address(QUEUE_DRIVER, &queue[q].driver);
	set_address(QUEUE_DEVICE, &queue[q].device);
	*at(QUEUE_READY) = 1;
	return true;
}

/* --- Frames ---------------------------------------------------------------------- */

#define ETHERNET 14u
#define ARP 28u
#define IP 20u
#define ICMP 8u

static uint16_t sum(const uint8_t *p, unsigned n)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < n; i++)
		s += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put_sum(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Turns a request into its answer. False: it is none. */
static bool answer_arp(uint8_t *p, uint32_t bytes)
{
	static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	if (bytes < ARP || !same(p, request, sizeof(request)) || !same(p + 24, address, 4))
		return false;
	p[7] = 2;
	memcpy(p + 18, p + 8, 10);
	memcpy(p + 8, mac, 6);
	memcpy(p + 14, address, 4);
	return true;
}

static bool answer_ping(uint8_t *p, uint32_t bytes)
{
	const uint32_t length = bytes < IP ? 0 : (uint32_t)p[2] << 8 | p[3];
	uint8_t *icmp = p + IP;

	/* No options, no fragments. */
	if (length < IP + ICMP || length > bytes || p[0] != 0x45 || (p[6] & 0x3f) != 0 ||
	    p[7] != 0 || p[9] != 1 || !same(p + 16, address, 4) || icmp[0] != 8 ||
	    sum(icmp, length - IP) != 0)
		return false;
	memcpy(p + 16, p + 12, 4);
	memcpy(p + 12, address, 4);
	icmp[0] = 0;
	put_sum(icmp + 2, 0);
	put_sum(icmp + 2, sum(icmp, length - IP));
	return true;
}

static bool answer(uint8_t *frame, uint32_t bytes)
{
	const uint16_t type = (uint16_t)(frame[12] << 8 | frame[13]);
	uint8_t *p = frame + ETHERNET;
	const uint32_t rest = bytes - ETHERNET;

	if (type == 0x806 ? !answer_arp(p, rest) : type != 0x800 || !answer_ping(p, rest))
		return false;
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, mac, 6);
	return true;
}

static bool send(const uint8_t *frame, uint32_t bytes)
{
	uint16_t id;

	if (tx_free == 0)
		return false;
	id = (uint16_t)__builtin_ctz(tx_free);
	tx_free &= (uint16_t)(tx_free - 1);
	memset(queue[TX].buffer[id], 0, HEADER);
	memcpy(queue[TX].buffer[id] + HEADER, frame, bytes);
	offer(TX, id, HEADER + bytes);
	return true;
}

static void receive(uint16_t id, uint32_t bytes)
{
	uint8_t *frame = queue[RX].buffer[id] + HEADER;
	const bool sound = bytes >= HEADER + ETHERNET && bytes <= HEADER + FRAME;

	counts.received++;
	if (sound && answer(frame, bytes - HEADER) && send(frame, bytes - HEADER))
		counts.sent++;
	else
		counts.dropped++;
	offer(RX, id, BUFFER);
}

/* --- The task -------------------------------------------------------------------- */

static void interrupt(void)
{
	BaseType_t woken = pdFALSE;

	*at(IRQ_ACK) = *at(IRQ_STATUS);
	vTaskNotifyGiveFromISR(task, &woken);
	portYIELD_FROM_ISR(woken);
}

static void serve(void *unused)
{
	uint16_t id;
	uint32_t bytes;

	(void)unused;
	for (;;) {
		while (take(TX, &id, &bytes))
			tx_free |= (uint16_t)(1u << id);
		while (take(RX, &id, &bytes))
			receive(id, bytes);
		(void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
	}
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
	volatile uint32_t *io = (volatile uint32_t *)(uintptr_t)IOAPIC;

	io[0] = reg;
	io[4] = value;
}

static bool start_device(void)
{
	*at(STATUS) = 0;
	*at(STATUS) = S_DRIVER;
	*at(TAKEN_SEL) = 0;
	*at(TAKEN) = F_MAC;
	*at(OFFERED_SEL) = 1;
	*at(TAKEN_SEL) = 1;
	*at(TAKEN) = *at(OFFERED) & F_HIGH;
	*at(STATUS) = S_DRIVER | S_FEATURES;
	if (!(*at(STATUS) & S_FEATURES) || !start_queue(RX) || !start_queue(TX))
		return false;
	for (unsigned i = 0; i < sizeof(mac); i++)
		mac[i] = ((volatile uint8_t *)at(MAC))[i];
	*at(STATUS) = S_DRIVER | S_FEATURES | S_OK;
	return true;
}

bool net_start(unsigned stack, unsigned priority)
{
	if (*at(MAGIC) != VIRTIO_MAGIC || *at(VERSION) != 2 || *at(ID) != VIRTIO_NET ||
	    xTaskCreate(serve, "net", (uint16_t)stack, NULL, priority, &task) != pdPASS ||
	    xPortRegisterCInterruptHandler(interrupt, VECTOR) != pdPASS || !start_device())
		return false;
	ioapic_write(0x10 + 2 * LINE + 1, 0);
	ioapic_write(0x10 + 2 * LINE, VECTOR | APIC_LEVEL);
	tx_free = 0xffff;
	for (uint16_t i = 0; i < N; i++)
		offer(RX, i, BUFFER);
	return true;
}

struct net_counts net_counts(void) { return counts; }
