package mmutex.stress.conform;

import mmutex.machine.Machine;

/** Swap, reclaim, compaction and same-page merging. */
final class ReclaimActions {
    /** Pages that the recorder's swap disk holds, by far more than it ever needs. */
    private static final long SWAP_PAGES = 1 << 12;

    private ReclaimActions() {}

    static Outcome swapOn(final World world, final Party party, final Step step) {
        return Outcome.of(world.machine().swapOn(SWAP_PAGES));
    }

    static Outcome swapOff(final World world, final Party party, final Step step) {
        return Outcome.of(world.machine().swapOff(party.cpu()));
    }

    static Outcome compact(final World world, final Party party, final Step step) {
        world.machine().compact(party.cpu());
        return Outcome.returned(0);
    }

    /** Until there is nothing left to merge, however much that was. */
    static Outcome scanSamePages(final World world, final Party party, final Step step) {
        final Machine machine = world.machine();
        while (world.samePageMerger().scan(party.cpu(), machine.spaces()) != 0) { // ends: each round leaves less to do
        }
        return Outcome.returned(0);
    }

    /** Clean pages of files, and pages on their way to disk: neither exists here beside what files hold. */
    static Outcome nothing(final World world, final Party party, final Step step) {
        return Outcome.returned(0);
    }
}
