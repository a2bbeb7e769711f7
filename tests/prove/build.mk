# Frama-C is large (packages of 200 MB), so this is no part of ./check.
prove: ## prove the absence of run-time errors in capability and decoding code (Frama-C)
	$(Q)sh mk/packages/install prove
	$(Q)tests/prove/run
.PHONY: prove
