INC_serialmux := -Iservers/serial/src -Ilib/rt/include
LIB_SRCS_serialmux := servers/serial/src/serial_mux.c \
	servers/serial/src/plain.c servers/serial/src/framed.c
SERIAL_SRCS := servers/serial/src/main.c servers/serial/arch/$(ARCH)/uart.c \
	$(LIB_SRCS_serialmux)
$(eval $(call target_prog,serial,$(SERIAL_SRCS),ipc rt sel4 mux base,-Iservers/serial/src))
$(eval $(call unit_test,serialmux,tests/unit/serialmux_test.c,serialmux mux base))
$(eval $(call fuzz_target,serial_rx,tests/fuzz/serial_rx_fuzz.c,serialmux mux base))
