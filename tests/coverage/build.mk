# Lines and branches of the kernel that the on-target tests reach.
coverage: $(addprefix coverage-image-,$(CONFIGS)) ## kernel lines and branches the on-target tests reach
	$(Q)tests/coverage/run
coverage-image-%:
	@$(MAKE) -s --no-print-directory CONFIG=$* BUILD=coverage $(OUT)/$*-coverage/kernel-tests.img
.PHONY: coverage
