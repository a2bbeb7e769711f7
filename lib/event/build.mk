EVENT_SRCS := lib/event/chain.c lib/event/loop.c lib/event/timer.c

$(eval $(call target_lib,event,$(EVENT_SRCS),base))
$(eval $(call unit_test,event,tests/unit/event_test.c,event base))
