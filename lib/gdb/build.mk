$(eval $(call target_lib,gdb,lib/gdb/packet.c lib/gdb/run.c lib/gdb/stub.c lib/gdb/query.c,base))
$(eval $(call unit_test,gdb,tests/unit/gdb_test.c,gdb base))
$(eval $(call fuzz_target,gdb,tests/fuzz/gdb_fuzz.c,gdb base))
