"""Numbers and layouts of NVMe, no behaviour: opcodes, selectors and property offsets (`codes`), status codes
(`status`), the entries of the rings (`structs`)."""
