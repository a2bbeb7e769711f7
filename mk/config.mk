# What is built, and with what. Everything can be set on the command line.

# Kernel configuration: AArch64's pa44 (cortex-a57, a72, max) or pa40 (cortex-a53,
# a76), or pc (x86-64: kernel, its tests, the services).
CONFIG ?= pa44
# BUILD=release: no kernel printing or assertions. BUILD=debug: both.
# BUILD=coverage: as release, and the kernel counts what it executes.
BUILD ?= release
# EXTENSIONS=0: a kernel that answers as plain seL4 (kernel/debug/plain).
EXTENSIONS ?= 1
# BENCHMARK=1: seL4's system calls for benchmarks (kernel/debug/benchmark).
BENCHMARK ?= 0
# DOMAINS=N: so many of seL4's domains (kernel/domains).
DOMAINS ?= 1
# GUEST_TIME=stands: that kernel stops a guest's virtual time while it waits.
GUEST_TIME ?= runs
FUZZ_SECONDS ?= 10

CONFIGS := pa44 pa40
ifeq ($(filter $(CONFIG),$(CONFIGS) pc),)
$(error CONFIG=$(CONFIG) is not one of: $(CONFIGS) pc)
endif
ARCH := $(if $(filter pc,$(CONFIG)),x86_64,aarch64)
PLAT := $(if $(filter pc,$(CONFIG)),pc,virt)
# What CONFIG=pc builds of the userland (mk/rules.mk).
PARTS_pc := base sel4 vcpu rt rt_root kernel_tests bench_native decode_x86 \
	alloc vspace event ipc image mux init serial time log debug \
	virtio virtio_driver virtio_link pcibus dev dev_pc gdb monitor vmm vmm-virtio vmm-pci \
	vmm-debug net block
ifeq ($(filter $(BUILD),release debug coverage),)
$(error BUILD=$(BUILD) is not one of: release debug coverage)
endif

OUT := build
# The guests' images; what `make assets` builds.
ASSETS := $(OUT)/assets
ASSET_FILES :=
# Target artefacts: build/pa44/, or build/pa44-debug/, build/pa44-coverage/,
# build/pa44-plain/
TOUT := $(OUT)/$(CONFIG)$(addprefix -,$(filter-out release,$(BUILD)))$(if $(filter 0,$(EXTENSIONS)),-plain)$(if $(filter 1,$(BENCHMARK)),-benchmark)$(addprefix -,$(filter-out runs,$(GUEST_TIME)))$(addprefix -domains,$(filter-out 1,$(DOMAINS)))
HOUT := $(OUT)/host

CROSS_aarch64 := aarch64-linux-gnu-
CROSS_x86_64 := x86_64-linux-gnu-
CROSS ?= $(CROSS_$(ARCH))
TARGET_CC := $(CROSS)gcc
TARGET_AR := $(CROSS)gcc-ar
TARGET_OBJCOPY := $(CROSS)objcopy
# 32-bit guests.
ARM32_CC := arm-linux-gnueabihf-gcc
ARM32_OBJCOPY := arm-linux-gnueabihf-objcopy
HOST_CC ?= gcc
FUZZ_CC ?= clang-16

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
	-Wstrict-prototypes -Wundef -Wvla -Werror
CSTD := -std=gnu17

PICOLIBC := /usr/lib/picolibc/aarch64-linux-gnu
# The C library of the target; for x86-64 it is compiled from its sources
# (lib/picolibc).
LIBC_INC_aarch64 := -isystem $(PICOLIBC)/include
LIBC_aarch64 := $(PICOLIBC)/lib/libc.a
PICOLIBC_PARTS := $(OUT)/picolibc/crate/third_party/picolibc/libc
LIBC_INC_x86_64 := -isystem $(OUT)/picolibc/crate/include \
	-isystem $(PICOLIBC_PARTS)/machine/x86 -isystem $(PICOLIBC_PARTS)/include
LIBC_x86_64 = $(TOUT)/lib/libc.a
# What must be there before anything of the target is compiled.
LIBC_FIRST_x86_64 := $(OUT)/picolibc/stamp

# Configuration macros: SELVAGE_PA_BITS picks the row of abi/config.h.
CONFIG_DEFS_pa44 := -DSELVAGE_PA_BITS=44
CONFIG_DEFS_pa40 := -DSELVAGE_PA_BITS=40
ARCH_CFLAGS_aarch64 := -mno-outline-atomics -fno-pic -fno-pie
USER_ARCH_CFLAGS_aarch64 := -mgeneral-regs-only
KERNEL_ARCH_CFLAGS_aarch64 := -mgeneral-regs-only -mstrict-align -mbranch-protection=none
# The kernel is linked high and addresses its parts relative to RIP.
ARCH_CFLAGS_x86_64 := -fcf-protection=none
USER_ARCH_CFLAGS_x86_64 := -fno-pic -fno-pie -mgeneral-regs-only
KERNEL_ARCH_CFLAGS_x86_64 := -fpie -fno-plt -mno-red-zone -mgeneral-regs-only
BUILD_DEFS_debug := -DSELVAGE_DEBUG=1
BUILD_DEFS_release := -DSELVAGE_DEBUG=0
BUILD_DEFS_coverage := -DSELVAGE_DEBUG=0
TARGET_DEFS := $(CONFIG_DEFS_$(CONFIG)) $(BUILD_DEFS_$(BUILD))

# Reproducible output: no absolute path of the build machine in the binaries.
REPRO := -ffile-prefix-map=$(CURDIR)=. -fno-record-gcc-switches

TARGET_CFLAGS := $(CSTD) $(WARN) -O2 -g $(REPRO) $(TARGET_DEFS) \
	$(ARCH_CFLAGS_$(ARCH)) -ffunction-sections -fdata-sections \
	-fno-common -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer
# A release program is optimised as a whole, its libraries with it.
USER_LTO_aarch64 := -flto
USER_LTO := $(if $(filter release,$(BUILD)),$(USER_LTO_$(ARCH)))
USER_CFLAGS := $(TARGET_CFLAGS) $(USER_ARCH_CFLAGS_$(ARCH)) -fomit-frame-pointer \
	-ftls-model=local-exec $(USER_LTO) $(LIBC_INC_$(ARCH))
KERNEL_CFLAGS := $(TARGET_CFLAGS) -DSELVAGE_EXTENSIONS=$(EXTENSIONS) \
	-DSELVAGE_BENCHMARK=$(BENCHMARK) -DSELVAGE_DOMAINS=$(DOMAINS) -DSELVAGE_GUEST_TIME_STANDS=$(if $(filter stands,$(GUEST_TIME)),1,0) \
	-ffreestanding $(KERNEL_ARCH_CFLAGS_$(ARCH)) -fno-tree-vectorize

HOST_CFLAGS := $(CSTD) $(WARN) -O2 -g $(REPRO) -D_GNU_SOURCE
TEST_CFLAGS := $(CSTD) $(WARN) -O1 -g -D_GNU_SOURCE $(CONFIG_DEFS_pa44) \
	-DSELVAGE_DEBUG=1 -fno-omit-frame-pointer
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
