"""The host side: guests and their workloads, virtual machines, the link, and the migration itself."""
