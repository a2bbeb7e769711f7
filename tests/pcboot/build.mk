# Boot protocols of PCs: the loader as a program of the host, and its initrd.
$(eval $(call host_prog,pcboot,tests/pcboot/pcboot.c $(wildcard vmm/boot/pc/*.c) vmm/gmem.c,base,,-Ivmm))

PCBOOT_TEST := $(HOUT)/bin/pcboot $(addprefix $(ASSETS)/,initrd-amd64 linux-amd64 linux-amd64.elf gnumach freertos-pc)
