# The C library of native processes: Debian's package of picolibc where there is one
# for the architecture, else what of its sources they use, compiled here.
PICOLIBC_SRC := $(OUT)/picolibc/crate
PICOLIBC_STAMP := $(OUT)/picolibc/stamp

$(PICOLIBC_STAMP): mk/packages/crate lib/picolibc/Cargo.toml lib/picolibc/Cargo.lock lib/picolibc/build.mk \
		$(call foreign,cargo-web)
	@mkdir -p $(@D)
	$(Q)sh mk/packages/crate $(CARGO) lib/picolibc hyperlight-libc/. $(PICOLIBC_SRC)
	@touch $@

ifeq ($(ARCH),x86_64)
# memcpy, memmove and memset are lib/rt's.
LIBC_FUNCTIONS := memchr memcmp strchr strcmp strlen strncmp strncpy strnlen strrchr strspn
LIBC_OBJS := $(foreach f,$(LIBC_FUNCTIONS),$(TOUT)/obj/libc/$(f).o)
LIBC_CFLAGS := $(filter-out -W% -flto,$(USER_CFLAGS)) -w -ffreestanding -fno-builtin -D_LIBC -I$(PICOLIBC_PARTS)/locale \
	-ffile-prefix-map=$(PICOLIBC_SRC)=picolibc

$(LIBC_OBJS): $(TOUT)/obj/libc/%.o: $(PICOLIBC_STAMP) mk/config.mk
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(LIBC_CFLAGS) -c -o $@ $(PICOLIBC_PARTS)/string/$*.c
$(TOUT)/lib/libc.a: $(LIBC_OBJS)
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(TARGET_AR) rcsD $@ $^
endif
