# The instruction counter for QEMU (a shared object of the host).
INSN_PLUGIN := $(HOUT)/bench/insn.so
$(INSN_PLUGIN): tests/bench/insn.c tests/qemu_plugin.h
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -fvisibility=hidden -Itests -shared -fPIC -o $@ $<

# The benchmarks of native programs: a root task, and a bootable image with it.
BENCH_NATIVE_SRCS := $(addprefix tests/bench/native/,main.c setup.c) \
	$(sort $(wildcard tests/bench/native/arch/$(ARCH)/*.c))
$(eval $(call target_prog,bench_native,$(BENCH_NATIVE_SRCS),$(if $(filter x86_64,$(ARCH)),vcpu) rt_root rt sel4 base,-Itests/bench/native/arch/$(ARCH)))

$(TOUT)/bench-native.img: tests/kernel/pack.py $(TOUT)/loader.img $(TOUT)/kernel.elf \
		$(TOUT)/bin/bench_native.elf
	@echo "  IMG   $@"
	$(Q)python3 $^ $@
TARGET_OUT += $(call built,images,$(TOUT)/bench-native.img)

# KVM's side: a Linux program that is the init of Debian's kernel and runs the
# micro guest in a virtual machine.
KVM_BENCH := $(OUT)/bench/kvm
KVM_BENCH_SRCS := $(addprefix tests/bench/kvm/,main.c guest.c rows.c vm.c vm_arm64.c)
$(KVM_BENCH)/init: $(KVM_BENCH_SRCS) $(addprefix tests/bench/kvm/,guest.h rows.h vm.h)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(TARGET_CC) $(CSTD) $(WARN) -O2 $(REPRO) -static -s -Wl,--build-id=none -o $@ \
	  $(KVM_BENCH_SRCS)
$(KVM_BENCH)/bench.dtb: tests/bench/kvm/bench.dts
	@mkdir -p $(@D)
	$(Q)dtc -q -I dts -O dtb -o $@ $<
$(KVM_BENCH)/initrd: $(KVM_BENCH)/init $(KVM_BENCH)/bench.dtb $(ASSETS)/micro-bench mk/mkcpio.py
	@echo "  CPIO  $@"
	$(Q)python3 mk/mkcpio.py $@ dev/ init=$(KVM_BENCH)/init bench.dtb=$(KVM_BENCH)/bench.dtb \
	  micro-bench=$(ASSETS)/micro-bench

# The same host with Debian's QEMU, its modules and the guests that drive virtio.
$(KVM_BENCH)/lean: $(addprefix tests/bench/kvm/,lean.c lean_net.c lean_block.c vm.c vm_arm64.c lean.h guest.h vm.h)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(TARGET_CC) $(CSTD) $(WARN) -O2 $(REPRO) -static -pthread -s -Wl,--build-id=none -o $@ \
	  $(filter %.c,$^)
KVM_VIRTIO_MODULES := net/llc/llc net/802/stp net/bridge/bridge $(addprefix drivers/,block/brd \
	net/tun net/tap vhost/vhost_iotlb vhost/vhost vhost/vhost_net)
KVM_VIRTIO_FILES := lean=$(KVM_BENCH)/lean micro-blk=$(ASSETS)/micro-blk micro-net=$(ASSETS)/micro-net \
	init=tests/bench/kvm/virtio-init bin/busybox=$(FOREIGN)/busybox-static/bin/busybox
$(KVM_BENCH)/virtio-initrd: $(KVM_BENCH)/lean $(ASSETS)/micro-blk $(ASSETS)/micro-net $(ASSETS)/kvm-host \
		tests/bench/kvm/virtio-init mk/mkcpio.py tests/bench/build.mk \
		$(call foreign,busybox-static) $(call foreign,linux-image-cloud-arm64)
	@echo "  CPIO  $@"
	$(Q)kernel=$$(echo $(FOREIGN)/linux-image-cloud-arm64/lib/modules/*/kernel) && \
	  python3 mk/mkcpio.py $@.more proc/ sys/ dev/ tmp/ $(KVM_VIRTIO_FILES) \
	  $(foreach m,$(KVM_VIRTIO_MODULES),modules/$(notdir $(m)).ko=$$kernel/$(m).ko) && \
	  cat $(ASSETS)/kvm-host $@.more > $@

# KVM-AMD: the same of Debian's kernel for PCs.
KVM_AMD := $(OUT)/bench/kvm-amd
KVM_AMD_MODULES := virt/lib/irqbypass arch/x86/kvm/kvm arch/x86/kvm/kvm-amd
$(KVM_AMD)/init: $(addprefix tests/bench/kvm/,amd64.c rows.c vm.c rows.h vm.h)
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CROSS_x86_64)gcc $(CSTD) $(WARN) -O2 $(REPRO) -static -s -Wl,--build-id=none -o $@ $(filter %.c,$^)
$(KVM_AMD)/initrd: $(KVM_AMD)/init $(ASSETS)/micropc-bench mk/mkcpio.py tests/bench/build.mk \
		$(call foreign,linux-image-cloud-amd64)
	@echo "  CPIO  $@"
	$(Q)kernel=$$(echo $(FOREIGN)/linux-image-cloud-amd64/lib/modules/*/kernel) && \
	  python3 mk/mkcpio.py $@ dev/ init=$(KVM_AMD)/init micropc-bench=$(ASSETS)/micropc-bench \
	  $(foreach m,$(KVM_AMD_MODULES),$(notdir $(m)).ko=$$kernel/$(m).ko)
PEERS := $(KVM_BENCH)/initrd $(KVM_AMD)/initrd $(KVM_BENCH)/virtio-initrd $(call foreign,xen-hypervisor-4.17-arm64)

bench: host target assets $(INSN_PLUGIN) $(PEERS) ## measure; prints and writes build/bench.json
	@python3 tests/bench/run.py
bench-baseline: host target assets $(INSN_PLUGIN) ## accept Selvage's figures as they are now
	@tests/bench/check --accept
.PHONY: bench bench-baseline
