"""Host memory as a device sees it: address spaces of lazily made pages, PRP lists, and dirty bits."""

from nvmelm_lab.memory.prp import PrpError, data_pointers, prp_pages
from nvmelm_lab.memory.ring import Ring
from nvmelm_lab.memory.space import PAGE_BYTES, PAGE_SHIFT, AddressSpace
from nvmelm_lab.memory.stamps import Stamps, make_stamp

__all__ = [
    "PAGE_BYTES",
    "PAGE_SHIFT",
    "AddressSpace",
    "PrpError",
    "Ring",
    "Stamps",
    "data_pointers",
    "make_stamp",
    "prp_pages",
]
