# Device models: a library for the VMM, and for host tests and fuzzers.
INC_dev := -Idev/include
$(eval $(call target_lib,dev,dev/reg.c dev/pl011.c dev/pl031.c dev/vgic.c \
	dev/vgic_direct.c dev/vgic_lr.c dev/vgic_regs.c,))

$(eval $(call unit_test,dev_pl011,tests/unit/dev_pl011_test.c,dev))
$(eval $(call unit_test,dev_pl031,tests/unit/dev_pl031_test.c,dev))
$(eval $(call unit_test,dev_vgic,tests/unit/dev_vgic_test.c,dev))
VGIC_SIM := tests/unit/vgic_sim.c tests/unit/vgic_ref.c
$(eval $(call unit_test,dev_vgic_random,tests/unit/dev_vgic_random_test.c \
	$(VGIC_SIM),dev))

$(eval $(call fuzz_target,pl011,tests/fuzz/pl011_fuzz.c,dev))
$(eval $(call fuzz_target,pl031,tests/fuzz/pl031_fuzz.c,dev))
$(eval $(call fuzz_target,vgicv2,tests/fuzz/vgic_fuzz.c $(VGIC_SIM),dev,-DVGIC_VERSION=2))
$(eval $(call fuzz_target,vgicv3,tests/fuzz/vgic_fuzz.c $(VGIC_SIM),dev,-DVGIC_VERSION=3))
