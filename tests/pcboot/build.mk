# Boot protocols of PCs: the loader as a program of the host, and its initrd.
$(eval $(call host_prog,pcboot,tests/pcboot/pcboot.c $(wildcard vmm/boot/pc/*.c) vmm/gmem.c,base,,-Ivmm))

$(ASSETS)/initrd-pcboot: tests/pcboot/init.c mk/mkcpio.py
	@mkdir -p $(@D)
	@echo "  CPIO  $@"
	$(Q)$(CROSS_x86_64)gcc $(CSTD) $(WARN) -Os -D_GNU_SOURCE -static -s -Wl,--build-id=none -o $@.init $<
	$(Q)python3 mk/mkcpio.py --gzip $@ init=$@.init && rm $@.init

PCBOOT_TEST := $(HOUT)/bin/pcboot $(addprefix $(ASSETS)/,initrd-pcboot linux-amd64 linux-amd64.elf gnumach freertos-pc)
