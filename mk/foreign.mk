# Debian packages of other architectures, unpacked in the cache and never
# installed (mk/packages/fetch). A rule that needs a file of NAME depends on
# $(call foreign,NAME) and finds the package's tree in $(FOREIGN)/NAME.
FOREIGN := $(OUT)/foreign
FOREIGN_NAMES := $(shell sed -n 's/^\([a-z0-9][^ ]*\).*/\1/p' mk/packages/foreign.list)
foreign = $(FOREIGN)/$(1).stamp

# Fetches crates (mk/packages/crate); a rule that uses it depends on
# $(call foreign,cargo-web).
CARGO := $(FOREIGN)/cargo-web/usr/bin/cargo

# Static libfdt for the target: its headers and library.
LIBFDT_STAMP := $(call foreign,libfdt-dev)
LIBFDT_INC := $(FOREIGN)/libfdt-dev/usr/include
LIBFDT_A := $(FOREIGN)/libfdt-dev/usr/lib/aarch64-linux-gnu/libfdt.a

$(LIBFDT_A): $(LIBFDT_STAMP) ;

# Zydis, the decoder of x86 instructions (vmm/decode/x86): Debian's source
# package, and of it what decodes: no encoder, no text, no AVX-512.
# Of zycore it needs headers only, which Debian's libzycore-dev has.
ZYDIS := $(FOREIGN)/zydis
ZYDIS_STAMPS := $(call foreign,zydis) $(call foreign,libzycore-dev)
ZYDIS_INC := -isystem $(ZYDIS)/include -isystem $(FOREIGN)/libzycore-dev/usr/include \
	-DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -DZYDIS_DISABLE_ENCODER \
	-DZYDIS_DISABLE_FORMATTER -DZYDIS_DISABLE_AVX512 -DZYDIS_DISABLE_KNC -DZYDIS_DISABLE_SEGMENT -DNDEBUG
ZYDIS_OBJS := Decoder DecoderData Register SharedData
# $(1): folder of the library, $(2) $(3): compiler and archiver, $(4): flags; not our warnings.
define zydis_lib
$(ZYDIS_OBJS:%=$(1)/obj/zydis/%.o): $(1)/obj/zydis/%.o: $(ZYDIS_STAMPS) mk/foreign.mk
	@mkdir -p $$(@D)
	$$(Q)$(2) $(filter-out $(WARN),$(4)) -w $(ZYDIS_INC) -isystem $(ZYDIS)/src -c -o $$@ $(ZYDIS)/src/$$*.c
$(1)/lib/zydis.a: $(ZYDIS_OBJS:%=$(1)/obj/zydis/%.o)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $(3) rcsD $$@ $$^
endef
$(eval $(call zydis_lib,$(HOUT),$(HOST_CC),ar,$(HOST_CFLAGS)))
$(eval $(call zydis_lib,$(TOUT),$(TARGET_CC),$(TARGET_AR),$(USER_CFLAGS)))

$(FOREIGN)/%.stamp: mk/packages/fetch mk/packages/foreign.list mk/packages/versions
	@mkdir -p $(@D)
	@echo "  FETCH $*"
	$(Q)sh mk/packages/fetch $* $(FOREIGN)/$*
	@touch $@
.PRECIOUS: $(FOREIGN)/%.stamp
