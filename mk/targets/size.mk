size: host target assets ## lines and bytes of kernel, VMM and each server; memory of a VM
	@python3 mk/size.py $(TOUT)
	@python3 tests/bench/run.py memory
.PHONY: size
