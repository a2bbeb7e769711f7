# Device models of board `pc`: a library of its own, for its monitors.
INC_dev_pc := -Idev/include
$(eval $(call target_lib,dev_pc,dev/pc/i8259.c dev/pc/ioapic.c dev/pc/pc_irq.c dev/pc/apic.c \
	dev/pc/lapic.c dev/pc/lapic_regs.c dev/pc/lapic_timer.c dev/pc/pit.c dev/pc/hpet.c \
	dev/pc/rtc.c dev/pc/uart16550.c dev/pc/i8042.c dev/pc/keyboard_us.c dev/pc/keyboard_set1.c \
	dev/pc/pci_ports.c dev/pc/acpi_pm.c,dev base))

PC_LIBS := dev_pc virtio dev base
$(foreach d,i8259 apic pit hpet rtc uart16550 i8042 pc,$(eval $(call unit_test,dev_$(d),\
	tests/unit/dev_$(d)_test.c,$(PC_LIBS))))
$(foreach d,i8259 apic pit hpet rtc uart16550 i8042 pc_ports,$(eval $(call fuzz_target,$(d),\
	tests/fuzz/$(d)_fuzz.c,$(PC_LIBS))))
