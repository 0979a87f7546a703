package mmutex.stress.conform;

import java.util.EnumMap;
import java.util.Map;

/** The operations that the emulator can perform, and how. Whatever has no entry here is not emulated. */
final class Actions {
    private static final Map<Operation, Action> ACTIONS = new EnumMap<>(Operation.class);

    static {
        ACTIONS.put(Operation.MMAP, MemoryActions::mmap);
        ACTIONS.put(Operation.MUNMAP, MemoryActions::munmap);
        ACTIONS.put(Operation.MPROTECT, MemoryActions::mprotect);
        ACTIONS.put(Operation.MADVISE, MemoryActions::madvise);
        ACTIONS.put(Operation.FTRUNCATE, FileActions::truncate);
        ACTIONS.put(Operation.RESERVE_HUGEPAGES, FileActions::reserveHugePages);
        ACTIONS.put(Operation.CPU_READ, CpuActions::read);
        ACTIONS.put(Operation.CPU_WRITE, CpuActions::write);
        ACTIONS.put(Operation.CPU_FETCH_ADD, CpuActions::fetchAdd);
        ACTIONS.put(Operation.FILL, CpuActions::fill);
        ACTIONS.put(Operation.EXCLUSIVE, DeviceActions::exclusive);
        ACTIONS.put(Operation.CHECK_EXCLUSIVE, DeviceActions::checkExclusive);
        ACTIONS.put(Operation.DEV_READ, DeviceActions::read);
        ACTIONS.put(Operation.DEV_WRITE, DeviceActions::write);
        ACTIONS.put(Operation.SNAPSHOT, DeviceActions::snapshot);
        ACTIONS.put(Operation.MIGRATE_TO_DEV, DeviceActions::migrate);
        ACTIONS.put(Operation.MIGRATE_TO_SYS, DeviceActions::migrate);
        ACTIONS.put(Operation.UNKNOWN_REQUEST, DeviceActions::unknownRequest);
        ACTIONS.put(Operation.CLOSE_DEVICE, DeviceActions::close);
        ACTIONS.put(Operation.REOPEN, DeviceActions::reopen);
        ACTIONS.put(Operation.FORK, ProcessActions::fork);
        ACTIONS.put(Operation.EXIT, ProcessActions::exit);
        ACTIONS.put(Operation.WAIT_CHILD, ProcessActions::waitChild);
        ACTIONS.put(Operation.CHILD_START, ProcessActions::nothing);
        ACTIONS.put(Operation.LOOK, ProcessActions::nothing);
    }

    private Actions() {}

    /** Performs a step. */
    static Outcome perform(final World world, final Step step) throws NotEmulated {
        final Action action = ACTIONS.get(step.operation());
        if (action == null) {
            throw new NotEmulated(step.operation().toString());
        }
        return action.perform(world, world.party(step.who()), step);
    }
}
