package mmutex.stress.conform;

import java.util.List;

/** A process's userfaultfd, answered by a thread of its own. */
final class UserFaultActions {
    private UserFaultActions() {}

    static Outcome register(final World world, final Party party, final Step step) {
        final boolean missing = step.number("missing") != 0;
        final boolean writeProtect = step.number("wp") != 0;
        return Outcome.of(world.faultHandler(party)
                .descriptor()
                .register(party.cpu(), step.at(), step.length(), missing, writeProtect));
    }

    static Outcome writeProtect(final World world, final Party party, final Step step) {
        return Outcome.of(world.faultHandler(party)
                .descriptor()
                .writeProtect(party.cpu(), step.at(), step.length(), step.number("on") != 0));
    }

    static Outcome events(final World world, final Party party, final Step step) {
        final List<Object> events = world.faultHandler(party).events();
        return Outcome.returned(events.size()).with("events", events);
    }
}
