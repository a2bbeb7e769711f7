TOOL_PARTS := answer bochs buffer command_build command_client command_create command_set command_top top command_trace chrome exit_names command_faults faultlog command_gdb command_run broker cli cpio \
	cpus diag elfcheck emulator files guestimg guestimg_elf guestimg_pc guestimg_uimage iso link logabout logline payload_build \
	qemu replay requests schema schema_check screen scroll session sockpath suggest symbolise \
	sysimage system system_connections system_images system_memory system_modules system_passthrough system_vm table terminal units view \
	vmstates yamldoc
# Captures of guests, their comparison, the reference side, what the host can do.
TOOL_PARTS += capture capture_image capture_json capture_qemu capture_read capture_selvage \
	command_capture command_compare command_doctor command_reference compare compare_html \
	compare_text compare_x86 gdb_client gdb_packet hmp_text hmp_x86 insn monitor reference vectors vectors_x86 wire x86_state
# Who can reach what.
TOOL_PARTS += audit command_audit command_topology forbid topology topology_json topology_model topology_text
TOOL_SRCS := $(addprefix tool/,$(addsuffix .c,$(TOOL_PARTS)))
# <control.h> says how init is asked; the loader's header is patched.
TOOL_CFLAGS := -Itool -Ilib/ipc/include -Ikernel/loader/include \
	$(shell pkg-config --cflags libcjson 2>/dev/null)
TOOL_LIBS := -lcyaml -lyaml -lelf -lcjson -lz -lcapstone -lexpat -lmd

HOST_LIBS_selvage := $(TOOL_LIBS)
$(eval $(call host_prog,selvage,tool/main.c $(TOOL_SRCS),image mux base,,$(TOOL_CFLAGS)))

UNIT_LIBS_tool := $(TOOL_LIBS)
$(eval $(call unit_test,tool,tests/unit/tool_test.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_system := $(TOOL_LIBS)
UNIT_LIBS_chrome := -lcjson
$(eval $(call unit_test,chrome,tests/unit/chrome_test.c tool/chrome.c tool/exit_names.c tool/answer.c,base,-Itool -Iabi/include $(shell pkg-config --cflags libcjson 2>/dev/null)))
$(eval $(call fuzz_target,chrome,tests/fuzz/chrome_fuzz.c tool/chrome.c tool/exit_names.c tool/top.c tool/answer.c,base,-Itool -Iabi/include -Ilib/ipc/include -Ilib/image/include $(shell pkg-config --cflags libcjson 2>/dev/null)))
$(eval $(call unit_test,requests,tests/unit/requests_test.c tool/requests.c tool/buffer.c tool/diag.c,base,-Itool -Ilib/ipc/include))
UNIT_LIBS_loglines := -lcjson
$(eval $(call unit_test,loglines,tests/unit/loglines_test.c tool/logabout.c tool/logline.c tool/faultlog.c,base,-Itool $(shell pkg-config --cflags libcjson 2>/dev/null)))
UNIT_LIBS_top := -lcjson
$(eval $(call unit_test,top,tests/unit/top_test.c tool/top.c tool/answer.c,base,-Itool -Ilib/ipc/include -Ilib/image/include $(shell pkg-config --cflags libcjson 2>/dev/null)))
$(eval $(call fuzz_target,system,tests/fuzz/system_fuzz.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_guestimg := $(TOOL_LIBS)
$(eval $(call fuzz_target,guestimg,tests/fuzz/guestimg_fuzz.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_link := $(TOOL_LIBS)
$(eval $(call fuzz_target,link,tests/fuzz/link_fuzz.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_capture_parts := $(TOOL_LIBS)
$(eval $(call unit_test,capture_parts,tests/unit/capture_test.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_capture_x86 := $(TOOL_LIBS)
$(eval $(call unit_test,capture_x86,tests/unit/capture_x86_test.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
$(foreach f,capture monitor gdb_packet faultlog vectors,$(eval UNIT_LIBS_$(f) := $(TOOL_LIBS)))
$(foreach f,capture monitor gdb_packet faultlog vectors,$(eval $(call fuzz_target,$(f),tests/fuzz/$(f)_fuzz.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS))))
UNIT_LIBS_topology := $(TOOL_LIBS)
$(eval $(call unit_test,topology,tests/unit/topology_test.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))
UNIT_LIBS_audit := $(TOOL_LIBS)
$(eval $(call fuzz_target,audit,tests/fuzz/audit_fuzz.c $(TOOL_SRCS),image mux base,$(TOOL_CFLAGS)))

# The boot sector of the disk that Bochs starts from (bochs.c).
$(TOUT)/bochs-boot.bin: tool/bochs_boot.S
	@mkdir -p $(@D)
	@echo "  BIN   $@"
	$(Q)$(TARGET_CC) -m32 -c -o $@.o $<
	$(Q)$(TARGET_CC:gcc=ld) -m elf_i386 -Ttext 0x7c00 -e start --oformat binary -o $@ $@.o
TARGET_OUT += $(if $(filter x86_64,$(ARCH)),$(TOUT)/bochs-boot.bin)
