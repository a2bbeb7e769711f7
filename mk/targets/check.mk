# The quick rules, in under a minute; ./check runs everything.
check: static unit ## format, headers, include rules, sizes, docs, host unit tests
static: $(VMM_ELFS) ## the rules of mk/checks.py
	@python3 mk/checks.py

# Reformats in place what the formatter would complain about.
format: ## apply .clang-format
	@git ls-files -co --exclude-standard '*.[ch]' | xargs clang-format-16 -i
.PHONY: check static format
