"""Print docs/configuration.md: `python -m conf.schema > docs/configuration.md`."""

from conf.schema.page import page

print(page(), end="")
