# What is built, and with what. Everything can be set on the command line.

# Kernel configuration: pa44 (cortex-a57, a72, max) or pa40 (cortex-a53, a76).
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
ifeq ($(filter $(CONFIG),$(CONFIGS)),)
$(error CONFIG=$(CONFIG) is not one of: $(CONFIGS))
endif
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

CROSS ?= aarch64-linux-gnu-
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

# Configuration macros: SELVAGE_PA_BITS picks the row of abi/config.h.
CONFIG_DEFS_pa44 := -DSELVAGE_PA_BITS=44
CONFIG_DEFS_pa40 := -DSELVAGE_PA_BITS=40
BUILD_DEFS_debug := -DSELVAGE_DEBUG=1
BUILD_DEFS_release := -DSELVAGE_DEBUG=0
BUILD_DEFS_coverage := -DSELVAGE_DEBUG=0
TARGET_DEFS := $(CONFIG_DEFS_$(CONFIG)) $(BUILD_DEFS_$(BUILD))

# Reproducible output: no absolute path of the build machine in the binaries.
REPRO := -ffile-prefix-map=$(CURDIR)=. -fno-record-gcc-switches

TARGET_CFLAGS := $(CSTD) $(WARN) -O2 -g $(REPRO) $(TARGET_DEFS) \
	-mno-outline-atomics -ffunction-sections -fdata-sections \
	-fno-pic -fno-pie -fno-common -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer
# A release program is optimised as a whole, its libraries with it.
USER_LTO := $(if $(filter release,$(BUILD)),-flto)
USER_CFLAGS := $(TARGET_CFLAGS) -fomit-frame-pointer -mgeneral-regs-only \
	-ftls-model=local-exec $(USER_LTO) -isystem $(PICOLIBC)/include
KERNEL_CFLAGS := $(TARGET_CFLAGS) -DSELVAGE_EXTENSIONS=$(EXTENSIONS) \
	-DSELVAGE_BENCHMARK=$(BENCHMARK) -DSELVAGE_DOMAINS=$(DOMAINS) -DSELVAGE_GUEST_TIME_STANDS=$(if $(filter stands,$(GUEST_TIME)),1,0) \
	-ffreestanding -mgeneral-regs-only \
	-mstrict-align -fno-tree-vectorize

HOST_CFLAGS := $(CSTD) $(WARN) -O2 -g $(REPRO) -D_GNU_SOURCE
TEST_CFLAGS := $(CSTD) $(WARN) -O1 -g -D_GNU_SOURCE $(CONFIG_DEFS_pa44) \
	-DSELVAGE_DEBUG=1 -fno-omit-frame-pointer
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
