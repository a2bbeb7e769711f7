size: target ## lines and bytes of kernel, VMM and each server; memory of a VM
	@python3 mk/size.py $(TOUT)
.PHONY: size
