"""A guest formats its disk while it is migrated: what it has lost at the source is lost at the destination too."""

import pytest

from nvmelm_lab.engine import Timed
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import Plan
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import BROADCAST_NSID
from nvmelm_lab.ssd import Habits

BLOCKS = 40


async def migrate(lab: Lab, migration: Migration, nsid: int, *, writes: bool) -> None:
    """Phase by phase, with a format after the baseline has been copied."""
    guest = lab.guests["guest"]
    await migration.prepare_destination()
    await migration.start_logging()
    await migration.initial_copy()
    assert lab.destination.namespaces[1].used_blocks() == 16
    await guest.driver.command("Format NVM", commands.format_nvm(0, nsid))
    if writes:
        buffer = guest.vm.pages.buffer(4096)
        guest.vm.memory.write_stamps(buffer.address, [77])
        await guest.driver.port.queues[1].run(commands.write(0, 1, 5, 1, buffer.address))
    await migration.iterate()
    await migration.suspend_and_copy()
    await migration.move_and_resume()


@pytest.mark.parametrize("writes", [False, True], ids=["format", "format, then write"])
@pytest.mark.parametrize("nsid", [1, BROADCAST_NSID])
@pytest.mark.parametrize("whole_namespace", ["a range", "all LBs"])
@pytest.mark.parametrize("deallocation_flag", ["flagged", "as a change"])
def test_a_format_amid_a_migration_arrives(
    deallocation_flag: str, whole_namespace: str, nsid: int, writes: bool
) -> None:
    habits = Habits(whole_namespace=whole_namespace, deallocation_flag=deallocation_flag)
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=16),), habits=habits, granularity=1))
    lab.begin(Timed())
    migration = lab.migration("guest", Plan(queue_entries=16))
    vmm = lab.engine.spawn("VMM", migrate(lab, migration, nsid, writes=writes))
    vmm.watched = True
    lab.engine.run(vmm)
    assert vmm.error is None, vmm.error
    found = [list(lab.destination.namespaces[1].read(lba, 1) or ()) for lba in range(BLOCKS)]
    assert found == [[77 if writes and lba == 5 else 0] for lba in range(BLOCKS)]
    if deallocation_flag == "flagged":
        assert lab.destination.namespaces[1].used_blocks() == int(writes)
