IPC_SRCS := lib/ipc/src/causes.c lib/ipc/src/logring.c lib/ipc/src/log.c lib/ipc/src/client.c \
	lib/ipc/src/server_loop.c lib/ipc/src/stdout.c
$(eval $(call target_lib,ipc,$(IPC_SRCS),rt sel4 base image))
# These two are portable: their tests run on the host.
INC_causes := -Ilib/ipc/include
LIB_SRCS_causes := lib/ipc/src/causes.c
$(eval $(call unit_test,causes,tests/unit/causes_test.c,causes))
INC_logring := -Ilib/ipc/include
LIB_SRCS_logring := lib/ipc/src/logring.c
$(eval $(call unit_test,logring,tests/unit/logring_test.c,logring base,-pthread))
