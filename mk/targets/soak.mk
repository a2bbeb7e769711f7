# SOAK: options of tests/soak/run, such as `--minutes 5 fuzz`.
soak: ## exerciser, mutation, fuzz and life cycle for hours, resumable; SOAK=options
	@tests/soak/run $(SOAK)
.PHONY: soak
