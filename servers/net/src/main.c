/*
 * The network server: a switch with a port for each connection, and a table of stream
 * sockets between VMs. What init sets up:
 * <selvage/serve.h>. How a connection works: <selvage/link.h>.
 */
#include "e1000.h"
#include "ports.h"
#include "sockets.h"
#include "virtio_nic.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/serve.h>
#include <selvage/server_loop.h>
#include <string.h>

_Static_assert(SYSDESC_MAX_NET == PORTS && SYSDESC_UPLINK == PORT_UPLINK, "bits of `allow`");
_Static_assert(SYSDESC_MAX_SOCKETS == VSOCK_GUESTS && SYSDESC_FIRST_CID == SOCKET_FIRST_CID,
	       "sockets of the description");

#define TICK_US 2000u
#define RESTART_US 1000000u

/* Ports or sockets by connection, and the other way round. */
static struct {
	unsigned place;
	bool connected, is_socket;
	char name[PROC_NAME];
} clients[SYSDESC_MAX_CONNECTIONS];
static unsigned connection_of[PORTS], connection_of_socket[VSOCK_GUESTS];
static bool ticking;

/* --- The uplink -------------------------------------------------------------------------- */

static struct virtio_nic virtio_nic;
static struct e1000 e1000;
static struct nic *nic; /* of one of them */
static bool has_nic, nic_works, uplink_open;
static uint64_t nic_died;

static enum switch_drop to_uplink(void *opaque, const uint8_t *frame, uint32_t bytes, bool single)
{
	(void)opaque, (void)single;
	if (!nic_works)
		return SWITCH_DOWN;
	if (nic_send(nic, frame, bytes))
		return SWITCH_DROPS;
	(void)nic_flush(nic);
	return nic_send(nic, frame, bytes) ? SWITCH_DROPS : SWITCH_NO_ROOM;
}

static const char *start_driver(void)
{
	const struct serve_info *info = serve_info_get();
	void *memory = (void *)(uintptr_t)SERVE_DMA;
	static struct vpci pci;
	struct vmmio_regs regs;

	if (info->device.kind == SERVE_E1000) {
		nic = &e1000.nic;
		regs = serve_registers();
		return e1000_start(&e1000, &regs, memory, info->dma_at);
	}
	nic = &virtio_nic.nic;
	regs = serve_virtio(&pci);
	return virtio_nic_start(&virtio_nic, &regs, memory, info->dma_at);
}

static void start_nic(void)
{
	const char *wrong = start_driver();

	nic_works = wrong == NULL;
	if (wrong != NULL) {
		log_error("the machine's network interface: %s", wrong);
		nic_died = clock_now();
		return;
	}
	log_info("uplink: %02x:%02x:%02x:%02x:%02x:%02x", nic->mac[0], nic->mac[1], nic->mac[2],
		 nic->mac[3], nic->mac[4], nic->mac[5]);
	if (!uplink_open)
		uplink_open = ports_add_uplink(nic->mac, to_uplink);
	if (!uplink_open)
		log_error("uplink: its address is none that a port can have");
}

/* One that broke is tried again, not at once. */
static void look_after_nic(void)
{
	if (nic_works && nic->error != NULL) {
		log_error("the machine's network interface: %s", nic->error);
		nic_works = false;
		nic_died = clock_now();
	}
	if (has_nic && !nic_works && clock_now() - nic_died > clock_us_to_ticks(RESTART_US))
		start_nic();
}

static void from_uplink(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	(void)opaque;
	ports_from_uplink(frame, bytes);
}

static void open_uplink(void)
{
	has_nic = serve_info_get()->dma_at != 0;
	if (!has_nic)
		return;
	start_nic();
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
}

/* --- Service ----------------------------------------------------------------------------- */

static void interrupt(unsigned port) { server_signal(SERVE_CAP_INTERRUPT(connection_of[port])); }
static void event(unsigned port) { sel4_signal(SERVE_CAP_EVENT(connection_of[port])); }
static void socket_interrupt(unsigned n)
{
	sel4_signal(SERVE_CAP_INTERRUPT(connection_of_socket[n]));
}
static void socket_event(unsigned n) { sel4_signal(SERVE_CAP_EVENT(connection_of_socket[n])); }

static void kicked(unsigned connection)
{
	if (clients[connection].is_socket)
		sockets_kicked(clients[connection].place);
	else
		ports_kicked(clients[connection].place);
}

static void take_signals(uint64_t bits)
{
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++)
		if (clients[n].connected && (bits & SERVE_BIT(n)))
			kicked(n);
	if ((bits & SERVE_BIT_IRQ) && has_nic) {
		nic_interrupt(nic);
		sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	}
	if (bits & SERVE_BIT_TIMER) {
		ticking = false;
		ports_tick();
		sockets_tick();
	}
}

static void report_losses(void)
{
	if (!ports_have_news())
		return;
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++) {
		bool is_port = clients[n].connected && !clients[n].is_socket;
		unsigned news = is_port ? ports_news(clients[n].place) : 0;

		for (; news != 0; news &= news - 1)
			log_warning("%s: frames are dropped: %s", clients[n].name,
				    switch_drop_name(bit_lowest_u64(news)));
	}
}

static void arm_tick(void)
{
	bool wanted = ports_wait() || sockets_wait() || (has_nic && !nic_works);

	if (!wanted || ticking)
		return;
	ticking = time_arm(0, clock_now() + clock_us_to_ticks(TICK_US), 0) == TIME_OK;
}

/* A turn of each port's and of the uplink's. */
static bool work(void)
{
	unsigned taken = has_nic ? nic_receive(nic, PORT_TURN, from_uplink, NULL) : 0;
	bool more = ports_turn() || taken == PORT_TURN;

	ports_settle();
	if (has_nic)
		more = nic_flush(nic) || more;
	look_after_nic();
	report_losses();
	arm_tick();
	return more;
}

/* --- Clients ------------------------------------------------------------------------------- */

/* Locally administered, the same each time, and another one for each system. */
static void make_mac(uint8_t mac[NET_MAC_BYTES], unsigned port)
{
	mac[0] = 0x02;
	store_be32(mac + 1, serve_info_get()->network);
	mac[5] = (uint8_t)port;
}

static bool add_port(unsigned connection, unsigned port)
{
	const struct serve_info *info = serve_info_get();
	struct port_spec spec = {
		.page = (void *)(uintptr_t)SERVE_PAGE(connection),
		.memory = (void *)(uintptr_t)SERVE_MEMORY(connection),
		.piece = info->piece + info->connection[connection].first_piece,
		.n_pieces = info->connection[connection].n_pieces,
		.allowed = info->connection[connection].allow,
		.open = info->connection[connection].flags & SYSDESC_CONNECT_BRIDGE,
	};

	make_mac(spec.mac, port);
	connection_of[port] = connection;
	return ports_add(port, &spec);
}

static bool add_socket(unsigned connection, unsigned place)
{
	const struct serve_info *info = serve_info_get();
	const struct socket_spec spec = {
		.page = (void *)(uintptr_t)SERVE_PAGE(connection),
		.memory = (void *)(uintptr_t)SERVE_MEMORY(connection),
		.piece = info->piece + info->connection[connection].first_piece,
		.n_pieces = info->connection[connection].n_pieces,
		.allowed = (uint32_t)info->connection[connection].allow,
	};

	connection_of_socket[place] = connection;
	return sockets_add(place, &spec);
}

static uint64_t add_client(const uint64_t mr[SEL4_MSG_REGS])
{
	const struct serve_info *info = serve_info_get();
	struct server_client c;
	unsigned n, place;

	server_parse_client(&c, mr);
	if (c.number >= info->n_connections || info->connection[c.number].device == 0 ||
	    clients[c.number].connected)
		return SERVER_BAD_ARGUMENT;
	n = (unsigned)c.number;
	place = info->connection[n].place;
	clients[n].place = place;
	clients[n].is_socket = info->connection[n].device == SYSDESC_CONNECT_VSOCK;
	memcpy(clients[n].name, c.name, sizeof(c.name));
	clients[n].connected = clients[n].is_socket ? add_socket(n, place) : add_port(n, place);
	return clients[n].connected ? SERVER_OK : SERVER_BAD_ARGUMENT;
}

static void remove_port(unsigned n)
{
	const struct switch_counters *count = ports_counters(clients[n].place);

	log_info("%s: %lu frames sent, %lu received", clients[n].name,
		 (unsigned long)count->frames_in, (unsigned long)count->frames_out);
	ports_remove(clients[n].place);
}

static void remove_socket(unsigned n)
{
	const struct vsock_guest *count = sockets_counters(clients[n].place);

	log_info("%s: %lu packets of sockets sent, %lu bytes in them, %lu refused", clients[n].name,
		 (unsigned long)count->packets, (unsigned long)count->bytes,
		 (unsigned long)count->refused);
	sockets_remove(clients[n].place);
}

static uint64_t remove_client(uint64_t client)
{
	if (client >= SYSDESC_MAX_CONNECTIONS || !clients[client].connected)
		return SERVER_BAD_ARGUMENT;
	clients[client].connected = false;
	if (clients[client].is_socket)
		remove_socket((unsigned)client);
	else
		remove_port((unsigned)client);
	return SERVER_OK;
}

static uint64_t on_request(uint64_t badge, msginfo_t info, const uint64_t mr[SEL4_MSG_REGS])
{
	static const struct server_client_ops ops = { add_client, remove_client };

	return server_client_request(&ops, badge, info, mr);
}

static uint64_t now(void) { return clock_now(); }

int main(void)
{
	static const struct server_ops ops = { take_signals, on_request, work };
	const struct ports_env env = { now, clock_us_to_ticks(1), interrupt, event };

	const struct sockets_env sockets = { now, clock_us_to_ticks(1), socket_interrupt,
					     socket_event };

	ports_init(&env);
	sockets_init(&sockets);
	open_uplink();
	server_run(&ops);
}
