# Kernel and loader of the target. The kernel's parts: core and object are
# portable, arch/$(ARCH) and plat/$(PLAT) are not. debug is for debug builds only.
KERNEL_DIRS := kernel/core kernel/object kernel/plat/$(PLAT) kernel/arch/$(ARCH) \
	kernel/arch/$(ARCH)/object $(if $(filter debug,$(BUILD)),kernel/debug kernel/debug/$(ARCH)) \
	$(if $(filter-out 1,$(DOMAINS)),kernel/domains) \
	$(if $(filter 0,$(EXTENSIONS)),kernel/debug/plain) $(if $(filter 1,$(BENCHMARK)),kernel/debug/benchmark)
KERNEL_BASE_aarch64 := lib/base/fdt.c
KERNEL_SRCS := $(sort $(filter-out $(if $(filter-out 1,$(DOMAINS)),kernel/object/domain.c), \
	$(foreach d,$(KERNEL_DIRS),$(wildcard $(d)/*.c $(d)/*.S)))) \
	$(KERNEL_BASE_$(ARCH)) lib/base/fmt.c lib/base/regions.c \
	lib/base/freestanding/memory.c
KERNEL_INC := $(INC_abi) -Ikernel/include -Ikernel/arch/$(ARCH)/include \
	-Ikernel/plat/include -Ilib/base/include
KERNEL_OBJS := $(call objs,$(TOUT)/obj/kernel,$(KERNEL_SRCS))
# Entries between two checks of everything (kernel/debug/invariants.c).
INVARIANTS_EVERY ?= 64
# Link flags of freestanding images: one page size, nothing hidden inside.
FREE_LDFLAGS := -static -nostdlib -nostartfiles -Wl,--build-id=none \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
	-Wl,--gc-sections

# A release kernel is optimised as one program: a quarter fewer instructions
# on the way in and out. memory.c stays apart: the compiler's own calls of
# memcpy appear only after that.
KERNEL_LTO := $(if $(filter release,$(BUILD)),-flto)
KERNEL_ALL_CFLAGS := $(KERNEL_CFLAGS) $(KERNEL_INC)
# Counters per branch of the source, read out of the machine's memory by
# tests/coverage: nothing of libgcov is linked.
ifeq ($(BUILD),coverage)
KERNEL_ALL_CFLAGS += -O0 -fprofile-arcs -ftest-coverage -fprofile-info-section
KERNEL_COVERAGE_LD := -Wl,--defsym=__gcov_merge_add=0
endif
ifeq ($(BUILD),debug)
KERNEL_ALL_CFLAGS += -Ikernel/debug -DINVARIANTS_EVERY=$(INVARIANTS_EVERY)
endif
$(eval $(call compile_rules,$(TOUT)/obj/kernel,$(filter-out lib/base/freestanding/memory.c,$(KERNEL_SRCS)),$(TARGET_CC),$(KERNEL_ALL_CFLAGS) $(KERNEL_LTO)))
$(eval $(call compile_rules,$(TOUT)/obj/kernel,lib/base/freestanding/memory.c,$(TARGET_CC),$(KERNEL_ALL_CFLAGS)))

# x86-64's loader is in front of the kernel, in the same file, with an entry of its own and no
# more: what Multiboot boots is one program.
PC_LOADER := $(if $(filter x86_64,$(ARCH)),$(TOUT)/loader.o)
PC_LOADER_SRCS := $(wildcard kernel/loader/arch/x86_64/*.[cS]) lib/base/regions.c lib/base/freestanding/memory.c
PC_LOADER_OBJS := $(call objs,$(TOUT)/obj/pc-loader,$(PC_LOADER_SRCS))
ifneq ($(PC_LOADER),)
$(eval $(call compile_rules,$(TOUT)/obj/pc-loader,$(PC_LOADER_SRCS),$(TARGET_CC),$(filter-out -fprofile-% -ftest-coverage,$(KERNEL_ALL_CFLAGS))))
endif
$(TOUT)/loader.o: $(PC_LOADER_OBJS)
	$(Q)$(TARGET_CC:gcc=ld) -r -z noexecstack -o $@ $^
	$(Q)$(TARGET_OBJCOPY) -G _start -G multiboot_header -G multiboot_header_2 $@

$(TOUT)/kernel.elf: $(KERNEL_OBJS) $(PC_LOADER) kernel/arch/$(ARCH)/kernel.ld
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(TARGET_CC) $(KERNEL_ALL_CFLAGS) $(KERNEL_LTO) $(if $(KERNEL_LTO),-flto-partition=one) \
	  $(FREE_LDFLAGS) $(KERNEL_COVERAGE_LD) -Wl,-T,kernel/arch/$(ARCH)/kernel.ld \
	  -o $@ $(KERNEL_OBJS) $(PC_LOADER) -lgcc

# What a Multiboot loader takes, on x86-64: addresses are in its header.
$(TOUT)/kernel.bin: $(TOUT)/kernel.elf
	@echo "  BIN   $@"
	$(Q)$(TARGET_OBJCOPY) -O binary $< $@

# The loader. string.h is picolibc's; the functions are the loader's own.
LOADER_SRCS := $(sort $(wildcard kernel/loader/*.c kernel/loader/*.S)) kernel/plat/virt/pl011.c \
	lib/base/freestanding/memory.c
LOADER_OBJS := $(call objs,$(TOUT)/obj/loader,$(LOADER_SRCS))
LOADER_CFLAGS := $(KERNEL_CFLAGS) -fno-builtin -isystem $(PICOLIBC)/include \
	-Ikernel/loader/include -Ikernel/plat/include -isystem $(LIBFDT_INC)

$(eval $(call compile_rules,$(TOUT)/obj/loader,$(LOADER_SRCS),$(TARGET_CC),$(LOADER_CFLAGS)))
$(LOADER_OBJS): | $(LIBFDT_STAMP)

$(TOUT)/loader.elf: $(LOADER_OBJS) kernel/loader/loader.ld $(LIBFDT_A)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(TARGET_CC) $(FREE_LDFLAGS) -Wl,-T,kernel/loader/loader.ld -o $@ \
	  $(LOADER_OBJS) $(LIBFDT_A) -lgcc

$(TOUT)/loader.img: $(TOUT)/loader.elf
	@echo "  IMG   $@"
	$(Q)$(TARGET_OBJCOPY) -O binary --set-section-flags .bss=alloc,load,contents $< $@

TARGET_OUT += $(TOUT)/kernel.elf $(if $(filter pc,$(CONFIG)),$(TOUT)/kernel.bin,$(TOUT)/loader.img)

include kernel/tests.mk
