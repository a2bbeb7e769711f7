# The reference side with KVM on a machine that has none for Arm: an initial RAM
# file system for Debian's arm64 kernel with a QEMU in it, in
# build/assets/kvm-host. `selvage run --reference kvm` puts a guest behind it.
KVM_HOST := $(OUT)/kvm-host
# Every package that QEMU's shared objects come from.
KVM_HOST_PACKAGES := $(shell sed -n 's/^\([^ \#]*\) .*arm64  kvm-host$$/\1/p' mk/packages/foreign.list)

$(KVM_HOST)/init: guests/kvm-host/init.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(TARGET_CC) $(CSTD) $(WARN) -D_GNU_SOURCE -O2 $(REPRO) -static -s -Wl,--build-id=none -o $@ $<
$(ASSETS)/kvm-host: guests/kvm-host/pack $(KVM_HOST)/init mk/mkcpio.py \
		$(call foreign,linux-image-cloud-arm64) \
		$(foreach p,$(KVM_HOST_PACKAGES),$(call foreign,$(p)))
	@mkdir -p $(@D)
	@echo "  CPIO  $@"
	$(Q)python3 guests/kvm-host/pack $(KVM_HOST)/init $(FOREIGN) $@ $(KVM_HOST_PACKAGES)
ASSET_FILES += $(ASSETS)/kvm-host
