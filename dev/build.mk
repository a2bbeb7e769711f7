# Device models: a library for the VMM, and for host tests and fuzzers.
INC_dev := -Idev/include
$(eval $(call target_lib,dev,dev/reg.c dev/pl011.c dev/pl031.c dev/vgic.c \
	dev/vgic_lr.c dev/vgic_regs.c,))
