# `make -s print-NAME`: the words of a variable, for scripts.
print-%:
	@printf '%s\n' $($*)
