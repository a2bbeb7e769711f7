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

$(FOREIGN)/%.stamp: mk/packages/fetch mk/packages/foreign.list mk/packages/versions
	@mkdir -p $(@D)
	@echo "  FETCH $*"
	$(Q)sh mk/packages/fetch $* $(FOREIGN)/$*
	@touch $@
.PRECIOUS: $(FOREIGN)/%.stamp
