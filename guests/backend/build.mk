# A backend VM: Debian's stock kernel, the project's module for it, and the
# program that serves devices to other VMs.
BACKEND := $(OUT)/backend
ASSET_FILES += $(ASSETS)/initrd-backend

$(BACKEND)/selvage_backend.ko: guests/backend/build-module $(wildcard guests/backend/module/*) \
		$(call foreign,linux-headers-cloud-arm64) $(call foreign,linux-headers-common) \
		$(call foreign,linux-kbuild-6.1)
	@mkdir -p $(@D)
	@echo "  KMOD  $@"
	$(Q)CROSS=$(CROSS) sh guests/backend/build-module $(FOREIGN)/linux-headers-cloud-arm64 \
	  $(FOREIGN)/linux-headers-common $(FOREIGN)/linux-kbuild-6.1 $(BACKEND)/work $@

# The device models are the monitors' own, and the connection's end the servers'.
BACKEND_SRCS := $(wildcard guests/backend/program/*.c) \
	$(addprefix dev/virtio/,virtq.c device.c blk.c console.c net.c link_server.c)
BACKEND_INC := -Ilib/base/include -Idev/include -Ilib/virtio/include -Ilib/ipc/include
$(BACKEND)/backend: $(BACKEND_SRCS) $(wildcard guests/backend/program/*.h guests/backend/module/*.h \
		dev/include/dev/virtio/*.h lib/virtio/include/selvage/*.h)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(TARGET_CC) $(CSTD) $(WARN) -O2 -D_GNU_SOURCE $(REPRO) $(BACKEND_INC) -static -s \
	  -Wl,--build-id=none -o $@ $(BACKEND_SRCS)

BACKEND_MODULES := drivers/virtio/virtio drivers/virtio/virtio_ring drivers/virtio/virtio_mmio \
	drivers/block/virtio_blk net/core/failover drivers/net/net_failover drivers/net/virtio_net \
	drivers/char/virtio_console drivers/net/tun net/llc/llc net/802/stp net/bridge/bridge \
	drivers/uio/uio drivers/uio/uio_pci_generic
BACKEND_APPLETS := insmod rmmod httpd brctl truncate mkfifo inetd
$(ASSETS)/initrd-backend: $(call foreign,busybox-static) $(call foreign,linux-image-cloud-arm64) \
		$(BACKEND)/selvage_backend.ko $(BACKEND)/backend $(ASSETS)/probe $(addprefix guests/backend/root/,init page) \
		guests/linux/applets mk/mkcpio.py guests/backend/build.mk
	@mkdir -p $(@D)
	@echo "  CPIO  $@"
	$(Q)modules=$$(echo $(FOREIGN)/linux-image-cloud-arm64/lib/modules/*/kernel) && \
	  python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ www/ \
	  init=guests/backend/root/init www/cgi-bin/page=guests/backend/root/page bin/backend=$(BACKEND)/backend bin/probe=$(ASSETS)/probe \
	  bin/busybox=$(FOREIGN)/busybox-static/bin/busybox \
	  lib/modules/selvage_backend.ko=$(BACKEND)/selvage_backend.ko \
	  $(foreach m,$(BACKEND_MODULES),lib/modules/$(notdir $(m)).ko=$$modules/$(m).ko) \
	  $(foreach a,$(GUEST_APPLETS) $(BACKEND_APPLETS),'bin/$(a)->busybox')
