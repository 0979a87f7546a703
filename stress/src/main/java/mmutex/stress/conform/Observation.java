package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mmutex.mm.Task;
import mmutex.stress.conform.Step.WatchedPage;

/**
 * What the emulator shows after a step.
 *
 * @param fields result fields, fault counts and memory counts by name
 * @param pages state of the step's watched pages, in its order
 */
record Observation(Map<String, Object> fields, List<PageText> pages) {

    /** Fault counters, read directly before a step. */
    record FaultMeter(long minor, long major) {
        static FaultMeter of(final Task task) {
            return new FaultMeter(task.minorFaults(), task.majorFaults());
        }
    }

    /**
     * Looks at everything after a step has been performed.
     *
     * @param party the process that performed it
     * @param before its fault counters before
     */
    static Observation after(final Step step, final Party party, final Outcome outcome, final FaultMeter before) {
        final Task task = party.cpu();
        outcome.with("minflt", task.minorFaults() - before.minor)
                .with("majflt", task.majorFaults() - before.major)
                // A process has nothing but what the steps map.
                .with("rss.anon", party.process().rssAnonPages())
                .with("rss.file", party.process().rssFilePages())
                .with("rss.shmem", party.process().rssShmemPages());
        final List<PageText> pages = new ArrayList<>();
        for (final WatchedPage page : step.pages()) {
            pages.add(PageReader.read(party, page.address()));
        }
        return new Observation(outcome.fields(), pages);
    }
}
