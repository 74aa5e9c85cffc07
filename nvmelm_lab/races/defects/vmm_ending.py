"""VMMs that do the right things in a wrong order at the end: pause, suspend, drain, state, memory, resume."""

from __future__ import annotations

from nvmelm_lab.host.tasks import Tasks
from nvmelm_lab.host.verbs import Destination, Source, Vm
from nvmelm_lab.nvme.controller_state import unpack_controller_state
from nvmelm_lab.races.defects.steps import (
    changes,
    copy,
    hand_over,
    last_changes,
    logged_and_copied,
    stop_and_copy,
)


async def forgets_the_last_drain(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """What was logged up to the Suspend is not copied."""
    await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await source.suspend()
    await hand_over(vm, source, destination)


async def drains_before_the_suspend(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The VM stands still and the queue is empty, so nothing can come any more; but commands are in flight."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await copy(source, destination, tasks, await changes(source, mq))
    await source.suspend()
    await hand_over(vm, source, destination)


async def gets_the_state_before_the_suspend(
    vm: Vm, source: Source, destination: Destination, tasks: Tasks
) -> None:
    """The state is that of a controller that goes on fetching and completing."""
    mq = await logged_and_copied(source, destination, tasks)
    state = await source.get_state()
    await stop_and_copy(vm, source, destination, tasks, mq)
    await vm.copy_memory()
    await destination.set_state(state)
    await destination.resume()
    await vm.start(destination)


async def pauses_the_vm_last(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The controller is suspended and its state taken, and only then does the VM stand still."""
    mq = await logged_and_copied(source, destination, tasks)
    await source.suspend()
    await copy(source, destination, tasks, await last_changes(source, mq))
    state = await source.get_state()
    await vm.pause()
    await vm.copy_memory()
    await destination.set_state(state)
    await destination.resume()
    await vm.start(destination)


async def copies_memory_before_the_pause(
    vm: Vm, source: Source, destination: Destination, tasks: Tasks
) -> None:
    """Memory, and the rings in it, go over while the vCPUs run, and nothing of it goes again."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.copy_memory()
    await stop_and_copy(vm, source, destination, tasks, mq)
    await destination.set_state(await source.get_state())
    await destination.resume()
    await vm.start(destination)


async def resumes_before_the_last_copy(
    vm: Vm, source: Source, destination: Destination, tasks: Tasks
) -> None:
    """The VM runs at the destination already while its last changes are copied over what it writes there."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await source.suspend()
    await hand_over(vm, source, destination)
    await copy(source, destination, tasks, await last_changes(source, mq))


async def resumes_both(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The source's controller is resumed as well, and both work on the VM's commands."""
    mq = await logged_and_copied(source, destination, tasks)
    await stop_and_copy(vm, source, destination, tasks, mq)
    await vm.copy_memory()
    await destination.set_state(await source.get_state())
    await source.resume()
    await destination.resume()
    await vm.start(destination)


async def never_suspends(vm: Vm, source: Source, destination: Destination, tasks: Tasks) -> None:
    """The VM is paused, and its controller at the source is left running."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    await copy(source, destination, tasks, await changes(source, mq))
    await hand_over(vm, source, destination)


async def takes_a_completion_for_an_entry(
    vm: Vm, source: Source, destination: Destination, tasks: Tasks
) -> None:
    """All commands have completed, says the state, so all entries are taken to be there; else all goes as usual."""
    mq = await logged_and_copied(source, destination, tasks)
    await vm.pause()
    if not _all_completed(await source.get_state()):
        await source.suspend()
        await copy(source, destination, tasks, await last_changes(source, mq))
    else:
        await copy(source, destination, tasks, await changes(source, mq))
        await source.suspend()
    await hand_over(vm, source, destination)


def _all_completed(state: bytes) -> bool:
    """Whether as many completions were posted as commands were submitted; both rings are far from a wrap."""
    queues = unpack_controller_state(state).queues
    assert queues is not None
    (sq,), (cq,) = queues.submission, queues.completion
    return sq.tail == sq.head == cq.tail
