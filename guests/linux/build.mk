# Linux as a guest: two kernels and one root file system, in build/assets/.
ASSET_FILES += $(addprefix $(ASSETS)/,linux-debian linux-small linux-small.elf initrd-busybox linux-armhf initrd-armhf initrd-virtio initrd-agent disk-test u-boot-arm u-boot-arm64 linux-amd64 linux-amd64.elf initrd-amd64 initrd-pc gnumach)

# Debian's stock kernel is a plain Image.
$(ASSETS)/linux-debian: $(call foreign,linux-image-cloud-arm64)
	@mkdir -p $(@D)
	@echo "  COPY  $@"
	$(Q)cp $(FOREIGN)/linux-image-cloud-arm64/boot/vmlinuz-* $@

$(ASSETS)/linux-small: $(call foreign,linux-source-6.1) \
		guests/linux/small.config guests/linux/build-kernel
	@echo "  LINUX $@"
	$(Q)CROSS=$(CROSS) sh guests/linux/build-kernel $(FOREIGN)/linux-source-6.1 Image $@

# Its symbols, for debuggers.
$(ASSETS)/linux-small.elf: $(ASSETS)/linux-small
	$(Q)CROSS=$(CROSS) sh guests/linux/build-kernel $(FOREIGN)/linux-source-6.1 vmlinux $@

PROBE_SRCS := $(addprefix guests/linux/probe/,main.c clock.c load.c storm.c hostile.c disk.c net.c vsock.c stale.c hold.c)
$(ASSETS)/probe: $(PROBE_SRCS) guests/linux/probe/probe.h
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(TARGET_CC) $(CSTD) $(WARN) -O2 -D_GNU_SOURCE $(REPRO) -static -s \
	  -Wl,--build-id=none -o $@ $(PROBE_SRCS)

GUEST_APPLETS := $(shell cat guests/linux/applets)
$(ASSETS)/initrd-busybox: $(call foreign,busybox-static) $(ASSETS)/probe \
		guests/linux/root/init guests/linux/root/selftest \
		guests/linux/applets mk/mkcpio.py guests/linux/build.mk
	@echo "  CPIO  $@"
	$(Q)python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ \
	  init=guests/linux/root/init selftest=guests/linux/root/selftest \
	  bin/busybox=$(FOREIGN)/busybox-static/bin/busybox bin/probe=$(ASSETS)/probe \
	  $(foreach a,$(GUEST_APPLETS),'bin/$(a)->busybox')

# With Debian's virtio drivers and a self-test of them.
VIRTIO_MODULES := virtio/virtio virtio/virtio_ring virtio/virtio_mmio virtio/virtio_pci_modern_dev \
	virtio/virtio_pci_legacy_dev virtio/virtio_pci virtio/virtio_balloon char/hw_random/virtio-rng \
	char/virtio_console block/virtio_blk watchdog/watchdog watchdog/sp805_wdt
$(ASSETS)/initrd-virtio: $(call foreign,busybox-static) $(call foreign,linux-image-cloud-arm64) $(ASSETS)/probe \
		guests/linux/root/init guests/linux/root/selftest-virtio \
		guests/linux/applets mk/mkcpio.py guests/linux/build.mk
	@echo "  CPIO  $@"
	$(Q)drivers=$$(echo $(FOREIGN)/linux-image-cloud-arm64/lib/modules/*/kernel/drivers) && \
	  python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ \
	  init=guests/linux/root/init selftest=guests/linux/root/selftest-virtio \
	  bin/busybox=$(FOREIGN)/busybox-static/bin/busybox bin/probe=$(ASSETS)/probe 'bin/insmod->busybox' \
	  $(foreach m,$(VIRTIO_MODULES),lib/modules/$(notdir $(m)).ko=$$drivers/$(m).ko) \
	  $(foreach a,$(GUEST_APPLETS),'bin/$(a)->busybox')

# With Debian's qemu-guest-agent, and what that is linked with: PACKAGE=LIBRARY.
AGENT_LIBRARIES := libc6=libc.so.6 libc6=libm.so.6 libudev1=libudev.so.1 libnuma1=libnuma.so.1 \
	liburing2=liburing.so.2 libglib2.0-0=libglib-2.0.so.0 libglib2.0-0=libgmodule-2.0.so.0 \
	libpcre2-8-0=libpcre2-8.so.0
library = $$(readlink -f $$(find -L $(FOREIGN)/$(1)/ -name $(2) | head -n 1))
$(ASSETS)/initrd-agent: $(call foreign,busybox-static) $(call foreign,qemu-guest-agent) \
		$(foreach l,$(AGENT_LIBRARIES),$(call foreign,$(firstword $(subst =, ,$(l))))) \
		$(addprefix guests/linux/root/,init init-agent shutdown) \
		guests/linux/applets mk/mkcpio.py guests/linux/build.mk
	@mkdir -p $(@D)
	@echo "  CPIO  $@"
	$(Q)python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ \
	  init=guests/linux/root/init-agent init-guest=guests/linux/root/init sbin/shutdown=guests/linux/root/shutdown \
	  bin/busybox=$(FOREIGN)/busybox-static/bin/busybox \
	  bin/qemu-ga=$(FOREIGN)/qemu-guest-agent/usr/sbin/qemu-ga \
	  lib/ld-linux-aarch64.so.1=$(call library,libc6,ld-linux-aarch64.so.1) \
	  $(foreach l,$(AGENT_LIBRARIES),lib/$(lastword $(subst =, ,$(l)))=$(call library,$(firstword $(subst =, ,$(l))),$(lastword $(subst =, ,$(l))))) \
	  $(foreach a,$(GUEST_APPLETS),'bin/$(a)->busybox')

# A file system with one file and its checksum.
$(ASSETS)/disk-test: $(call foreign,busybox-static) guests/linux/build.mk
	@echo "  MKFS  $@"
	$(Q)rm -rf $@.tmp && mkdir -p $@.tmp && cp $(FOREIGN)/busybox-static/bin/busybox $@.tmp/data && \
	  sha256sum $@.tmp/data | cut -d ' ' -f 1 > $@.tmp/sum && touch -d @0 $@.tmp $@.tmp/* && rm -f $@ && \
	  E2FSPROGS_FAKE_TIME=1 PATH="$$PATH:/usr/sbin:/sbin" mke2fs -q -t ext2 -b 4096 -m 0 -d $@.tmp \
	  -U 5e15a6e0-0000-4000-8000-000000000001 \
	  -E root_owner=0:0,hash_seed=5e15a6e0-0000-4000-8000-000000000002 $@ 4M && rm -rf $@.tmp

# The 32-bit ones: Debian's zImage, and the same root without the probe.
$(ASSETS)/linux-armhf: $(call foreign,linux-image-armmp-lpae)
	@mkdir -p $(@D)
	@echo "  COPY  $@"
	$(Q)cp $(FOREIGN)/linux-image-armmp-lpae/boot/vmlinuz-* $@

$(ASSETS)/initrd-armhf: $(call foreign,busybox-static-armhf) guests/linux/root/init \
		guests/linux/applets mk/mkcpio.py guests/linux/build.mk
	@echo "  CPIO  $@"
	$(Q)python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ \
	  init=guests/linux/root/init \
	  bin/busybox=$(FOREIGN)/busybox-static-armhf/bin/busybox \
	  $(foreach a,$(GUEST_APPLETS),'bin/$(a)->busybox')

# Debian's stock kernel for PCs, and the ELF file in it, which has an entry by PVH.
$(ASSETS)/linux-amd64: $(call foreign,linux-image-cloud-amd64)
	@mkdir -p $(@D)
	@echo "  COPY  $@"
	$(Q)cp $(FOREIGN)/linux-image-cloud-amd64/boot/vmlinuz-* $@

$(ASSETS)/linux-amd64.elf: $(ASSETS)/linux-amd64 guests/linux/extract-elf
	@echo "  LZ4   $@"
	$(Q)python3 guests/linux/extract-elf $< $@

# A Multiboot kernel.
$(ASSETS)/gnumach: $(call foreign,gnumach-image-1.8-486)
	@mkdir -p $(@D)
	@echo "  GUNZIP $@"
	$(Q)gunzip -c $(FOREIGN)/gnumach-image-1.8-486/boot/gnumach-*.gz > $@

# U-Boot for QEMU's `virt`, linked for its flash at address 0.
$(ASSETS)/u-boot-arm $(ASSETS)/u-boot-arm64: $(ASSETS)/u-boot-%: $(call foreign,u-boot-qemu)
	@mkdir -p $(@D)
	@echo "  COPY  $@"
	$(Q)cp $(FOREIGN)/u-boot-qemu/usr/lib/u-boot/qemu_$*/u-boot.bin $@

assets: $(ASSET_FILES) ## fetch and build the guests' images
foreign: $(foreach n,$(FOREIGN_NAMES),$(call foreign,$(n))) ## fetch the foreign packages
.PHONY: assets foreign

# For a PC: one process that says it is there, and switches off.
$(ASSETS)/initrd-amd64: guests/linux/amd64/init.c mk/mkcpio.py
	@mkdir -p $(@D)
	@echo "  CPIO  $@"
	$(Q)$(CROSS_x86_64)gcc $(CSTD) $(WARN) -Os -D_GNU_SOURCE -static -s -Wl,--build-id=none -o $@.init $<
	$(Q)python3 mk/mkcpio.py --gzip $@ init=$@.init && rm $@.init

# For a PC: the guests' root with Debian's virtio drivers and network, and the self-test of them.
PC_MODULES := $(addprefix drivers/,virtio/virtio virtio/virtio_ring virtio/virtio_mmio virtio/virtio_pci_modern_dev \
	virtio/virtio_pci_legacy_dev virtio/virtio_pci virtio/virtio_balloon char/hw_random/virtio-rng \
	char/virtio_console block/virtio_blk net/net_failover net/virtio_net) net/core/failover
$(ASSETS)/initrd-pc: $(call foreign,busybox-static-amd64) $(call foreign,linux-image-cloud-amd64) \
		guests/linux/root/init guests/linux/root/selftest-virtio \
		guests/linux/applets mk/mkcpio.py guests/linux/build.mk
	@echo "  CPIO  $@"
	$(Q)modules=$$(echo $(FOREIGN)/linux-image-cloud-amd64/lib/modules/*/kernel) && \
	  python3 mk/mkcpio.py --gzip $@ proc/ sys/ dev/ tmp/ root/ \
	  init=guests/linux/root/init selftest=guests/linux/root/selftest-virtio \
	  bin/busybox=$(FOREIGN)/busybox-static-amd64/bin/busybox 'bin/insmod->busybox' \
	  $(foreach m,$(PC_MODULES),lib/modules/$(notdir $(m)).ko=$$modules/$(m).ko) \
	  $(foreach a,$(GUEST_APPLETS),'bin/$(a)->busybox')
