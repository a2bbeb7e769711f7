# Selvage's front door for developers: `make help`.
#
# One non-recursive make. Every folder that builds something has a build.mk
# which calls the macros of mk/rules.mk; nothing else knows the folder.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
SHELL := /bin/bash

include mk/config.mk
include mk/rules.mk
include mk/foreign.mk

# Libraries first, base before all: the others name their sources and headers.
include lib/base/build.mk
include $(filter-out lib/base/build.mk,$(sort $(wildcard lib/*/build.mk))) \
	$(wildcard dev/build.mk)
include $(sort $(wildcard vmm/build.mk servers/*/build.mk kernel/build.mk \
	tool/build.mk guests/*/build.mk tests/*/build.mk))
include $(sort $(wildcard mk/targets/*.mk))

all: host target ## build the host command and the target programs of CONFIG

host: $(HOST_PROGS)    ## build the host command `selvage`
target: $(TARGET_OUT)  ## build kernel, loader and userland for CONFIG
unit: $(UNIT_RUNS)     ## build and run the host unit tests (ASan, UBSan)
fuzz: $(FUZZ_RUNS)     ## run every fuzz target for FUZZ_SECONDS each

help: ## list the targets
	@grep -hE '^[a-z0-9_-]+:.*##' $(filter %.mk Makefile,$(MAKEFILE_LIST)) | sort -u | \
	  awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

clean: ## remove everything that was built in the tree
	rm -rf build

.PHONY: all host target unit fuzz help clean
