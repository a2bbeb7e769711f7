# The reference test of vmm/decode: a host program, and what the emulator runs.
$(eval $(call host_prog,decode-ref,tests/decode/ref.c $(wildcard vmm/decode/*.c),vcpu_host base,,-Ivmm/decode -Itests/decode))

DECODE_TEST := $(HOUT)/bin/decode-ref $(HOUT)/decode/ref32.bin $(HOUT)/decode/ref64.bin
$(HOUT)/decode/ref32.bin: DECODE_MACHINE := armv7a-none-eabi
$(HOUT)/decode/ref64.bin: DECODE_MACHINE := aarch64-none-elf
$(HOUT)/decode/%.bin: tests/decode/%.S tests/decode/build.mk
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) --target=$(DECODE_MACHINE) -c -o $(HOUT)/decode/$*.o $<
	$(Q)$(TARGET_OBJCOPY) -O binary -j .text $(HOUT)/decode/$*.o $@
