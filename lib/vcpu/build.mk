VCPU_INC := -Ilib/vcpu/include -Ilib/vcpu/arch/
INC_vcpu := $(VCPU_INC)$(ARCH)/include
VCPU_PORTABLE := lib/vcpu/vcpu.c lib/vcpu/irqs.c \
	lib/vcpu/arch/aarch64/decode.c lib/vcpu/arch/aarch64/inject.c \
	lib/vcpu/arch/aarch64/aarch32.c

VCPU_X86 := lib/vcpu/vcpu.c lib/vcpu/irqs.c lib/vcpu/arch/x86_64/decode.c \
	lib/vcpu/arch/x86_64/inject.c
VCPU_SRCS_aarch64 := $(VCPU_PORTABLE) lib/vcpu/arch/aarch64/sel4.c
VCPU_SRCS_x86_64 := $(VCPU_X86) $(addprefix lib/vcpu/arch/x86_64/,sel4.c vmx.c fpu.c)

$(eval $(call target_lib,vcpu,$(VCPU_SRCS_$(ARCH)),vcpu sel4))

# What host programs can use: everything but the back end on the kernel.
INC_vcpu_host := $(VCPU_INC)aarch64/include
LIB_SRCS_vcpu_host := $(VCPU_PORTABLE)
$(eval $(call unit_test,vcpu,tests/unit/vcpu_test.c,vcpu_host))
# The back end itself, on a kernel that the test plays.
$(eval $(call unit_test,vcpu_sel4,tests/unit/vcpu_sel4_test.c lib/vcpu/arch/aarch64/sel4.c,vcpu_host,-Itests/unit/fake_sel4 -Ilib/sel4/include -Ilib/sel4/arch/aarch64/include))
# The same of x86-64, back end included.
INC_vcpu_x86_host := $(VCPU_INC)x86_64/include
LIB_SRCS_vcpu_x86_host := $(VCPU_X86)
VCPU_X86_FAKE := -Iabi/arch/x86_64/include -Itests/unit/fake_sel4 -Ilib/sel4/include \
	-Ilib/sel4/arch/x86_64/include
$(eval $(call unit_test,vcpu_x86,tests/unit/vcpu_x86_test.c lib/vcpu/arch/x86_64/sel4.c \
	lib/vcpu/arch/x86_64/vmx.c lib/vcpu/arch/x86_64/fpu.c,vcpu_x86_host,$(VCPU_X86_FAKE)))
$(eval $(call unit_test,vcpu_vmx,tests/unit/vcpu_vmx_test.c lib/vcpu/arch/x86_64/vmx.c,\
	vcpu_x86_host,$(VCPU_X86_FAKE)))
$(eval $(call fuzz_target,exit_decode,tests/fuzz/exit_decode_fuzz.c,vcpu_host))
