package mmutex.stress.conform;

import mmutex.machine.Process.Forked;

/** Processes that come and go. */
final class ProcessActions {
    private ProcessActions() {}

    static Outcome fork(final World world, final Party party, final Step step) {
        final Forked forked = party.process().fork(party.cpu());
        if (forked.child() != null) {
            world.add(step.text("child"), forked.child(), party);
        }
        return Outcome.of(forked.errno());
    }

    static Outcome exit(final World world, final Party party, final Step step) {
        world.exit(step.who());
        return Outcome.returned(0);
    }

    /** The child has exited before; what is left is its status. */
    static Outcome waitChild(final World world, final Party party, final Step step) {
        return Outcome.returned(0).with("status", 0L);
    }

    static Outcome nothing(final World world, final Party party, final Step step) {
        return Outcome.returned(0);
    }
}
