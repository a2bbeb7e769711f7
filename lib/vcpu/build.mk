INC_vcpu := -Ilib/vcpu/include -Ilib/vcpu/arch/aarch64/include
VCPU_PORTABLE := lib/vcpu/vcpu.c lib/vcpu/irqs.c \
	lib/vcpu/arch/aarch64/decode.c lib/vcpu/arch/aarch64/inject.c \
	lib/vcpu/arch/aarch64/aarch32.c

$(eval $(call target_lib,vcpu,$(VCPU_PORTABLE) lib/vcpu/arch/aarch64/sel4.c,vcpu sel4))

# What host programs can use: everything but the back end on the kernel.
INC_vcpu_host := $(INC_vcpu)
LIB_SRCS_vcpu_host := $(VCPU_PORTABLE)
$(eval $(call unit_test,vcpu,tests/unit/vcpu_test.c,vcpu_host))
# The back end itself, on a kernel that the test plays.
$(eval $(call unit_test,vcpu_sel4,tests/unit/vcpu_sel4_test.c lib/vcpu/arch/aarch64/sel4.c,vcpu_host,-Itests/unit/fake_sel4 -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include))
$(eval $(call fuzz_target,exit_decode,tests/fuzz/exit_decode_fuzz.c,vcpu_host))
