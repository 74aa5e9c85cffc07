"""NVMe Live Migration Lab: an in-process emulation of SSDs, controllers and the Migration Queue, with a
virtual machine monitor that migrates a running guest between two of them.
"""

__version__ = "0.1.0"
