package mmutex.stress.conform;

import java.util.EnumMap;
import java.util.Map;

/** How the emulator performs each operation; an action refuses arguments that it does not know. */
final class Actions {
    private static final Map<Operation, Action> ACTIONS = new EnumMap<>(Operation.class);

    static {
        ACTIONS.put(Operation.MMAP, MemoryActions::mmap);
        ACTIONS.put(Operation.MUNMAP, MemoryActions::munmap);
        ACTIONS.put(Operation.MPROTECT, MemoryActions::mprotect);
        ACTIONS.put(Operation.MADVISE, MemoryActions::madvise);
        ACTIONS.put(Operation.MREMAP, MemoryActions::mremap);
        ACTIONS.put(Operation.MLOCK, MemoryActions::mlock);
        ACTIONS.put(Operation.MUNLOCK, MemoryActions::munlock);
        ACTIONS.put(Operation.MINCORE, MemoryActions::mincore);
        ACTIONS.put(Operation.CLEAR_REFS, MemoryActions::clearRefs);
        ACTIONS.put(Operation.PROCMEM_READ, RemoteActions::readProcMem);
        ACTIONS.put(Operation.PROCMEM_WRITE, RemoteActions::writeProcMem);
        ACTIONS.put(Operation.PROCESS_VM_READV, RemoteActions::readProcess);
        ACTIONS.put(Operation.PROCESS_VM_WRITEV, RemoteActions::writeProcess);
        ACTIONS.put(Operation.WRITE_PIPE_FROM, RemoteActions::writePipe);
        ACTIONS.put(Operation.READ_PIPE_INTO, RemoteActions::readPipeInto);
        ACTIONS.put(Operation.VMSPLICE_FROM, RemoteActions::splice);
        ACTIONS.put(Operation.VMSPLICE_HOLD, RemoteActions::spliceAndHold);
        ACTIONS.put(Operation.READ_PIPE, RemoteActions::readPipe);
        ACTIONS.put(Operation.FUTEX_WAIT, RemoteActions::waitFutex);
        ACTIONS.put(Operation.FTRUNCATE, FileActions::truncate);
        ACTIONS.put(Operation.RESERVE_HUGEPAGES, FileActions::reserveHugePages);
        ACTIONS.put(Operation.UFFD_REGISTER, UserFaultActions::register);
        ACTIONS.put(Operation.UFFD_WRITEPROTECT, UserFaultActions::writeProtect);
        ACTIONS.put(Operation.UFFD_EVENTS_SO_FAR, UserFaultActions::events);
        ACTIONS.put(Operation.SWAPON, ReclaimActions::swapOn);
        ACTIONS.put(Operation.SWAPOFF, ReclaimActions::swapOff);
        ACTIONS.put(Operation.COMPACT_MEMORY, ReclaimActions::compact);
        ACTIONS.put(Operation.KSM_SCAN, ReclaimActions::scanSamePages);
        ACTIONS.put(Operation.DROP_CACHES, ReclaimActions::nothing);
        ACTIONS.put(Operation.WAIT_WRITEBACK, ReclaimActions::nothing);
        ACTIONS.put(Operation.CPU_READ, CpuActions::read);
        ACTIONS.put(Operation.CPU_WRITE, CpuActions::write);
        ACTIONS.put(Operation.CPU_FETCH_ADD, CpuActions::fetchAdd);
        ACTIONS.put(Operation.FILL, CpuActions::fill);
        ACTIONS.put(Operation.EXCLUSIVE, DeviceActions::exclusive);
        ACTIONS.put(Operation.CHECK_EXCLUSIVE, DeviceActions::checkExclusive);
        ACTIONS.put(Operation.DEV_READ, DeviceActions::read);
        ACTIONS.put(Operation.DEV_WRITE, DeviceActions::write);
        ACTIONS.put(Operation.SNAPSHOT, DeviceActions::snapshot);
        ACTIONS.put(Operation.MIGRATE_TO_DEV, DeviceActions::migrateToDevice);
        ACTIONS.put(Operation.MIGRATE_TO_SYS, DeviceActions::migrateToSystem);
        ACTIONS.put(Operation.RELEASE, DeviceActions::release);
        ACTIONS.put(Operation.UNKNOWN_REQUEST, DeviceActions::unknownRequest);
        ACTIONS.put(Operation.CLOSE_DEVICE, DeviceActions::close);
        ACTIONS.put(Operation.REOPEN, DeviceActions::reopen);
        ACTIONS.put(Operation.FORK, ProcessActions::fork);
        ACTIONS.put(Operation.EXIT, ProcessActions::exit);
        ACTIONS.put(Operation.WAIT_CHILD, ProcessActions::waitChild);
        ACTIONS.put(Operation.CHILD_START, ProcessActions::nothing);
        ACTIONS.put(Operation.LOOK, ProcessActions::nothing);
        for (final Operation operation : Operation.values()) {
            if (!ACTIONS.containsKey(operation)) {
                throw new IllegalStateException("no action: operation=" + operation);
            }
        }
    }

    private Actions() {}

    /** Performs a step. */
    static Outcome perform(final World world, final Step step) throws NotEmulated {
        return ACTIONS.get(step.operation()).perform(world, world.party(step.who()), step);
    }
}
