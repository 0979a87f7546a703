package mmutex.stress.conform;

import java.util.List;
import mmutex.stress.conform.Observation.FaultMeter;

/**
 * Replays scenarios, each on a machine of its own, up to the first difference or the first step that the emulator can't
 * perform.
 */
final class Replayer {
    /** Machines hold their memory off-heap until they are collected, and a replay leaves little garbage on the heap. */
    private static final int REPLAYS_PER_COLLECTION = 64;

    private final boolean traced;
    private int replays;

    /**
     * @param traced whether verdicts of failed scenarios tell the steps around the difference
     */
    Replayer(final boolean traced) {
        this.traced = traced;
    }

    Verdict replay(final Scenario scenario) {
        if (++replays % REPLAYS_PER_COLLECTION == 0) {
            System.gc();
        }
        try (World world = new World(scenario.profile())) {
            return replay(scenario, world);
        }
    }

    private Verdict replay(final Scenario scenario, final World world) {
        final StepComparator comparator = new StepComparator();
        for (final Step step : scenario.steps()) {
            try {
                final Verdict verdict = perform(scenario, world, comparator, step);
                if (verdict != null) {
                    return verdict;
                }
            } catch (final NotEmulated missing) {
                return Verdict.unsupported(scenario, step, missing.getMessage());
            } catch (final RuntimeException defect) {
                throw new IllegalStateException(
                        scenario.file() + " line " + scenario.line() + ": " + scenario.name() + ": step "
                                + step.number() + " " + step.title() + ": " + defect,
                        defect);
            }
        }
        return Verdict.pass(scenario);
    }

    /** Performs and compares one step; null if all is well. */
    private Verdict perform(
            final Scenario scenario, final World world, final StepComparator comparator, final Step step)
            throws NotEmulated {
        final Party party = world.party(step.who());
        final FaultMeter before = FaultMeter.of(party.cpu());
        if (step.operation() == Operation.EXIT) {
            comparator.forgetOf(world, step.who());
        }
        final Outcome outcome = Actions.perform(world, step);
        if (step.setup()) {
            return outcome.isSuccess() ? null : failedSetup(scenario, step, outcome);
        }
        step.pages().forEach(page -> world.watch(page.address()));
        final Observation observed = Observation.after(step, party, outcome, before);
        final Difference difference = comparator.compare(step, observed);
        if (difference != null) {
            final List<String> trace =
                    traced ? Trace.around(scenario, step, difference, observed, comparator) : List.of();
            return Verdict.fail(scenario, step, difference, trace);
        }
        comparator.forget(world, observed);
        return null;
    }

    /** Nothing is compared in a setup step, but what comes after it rests on its having worked. */
    private static Verdict failedSetup(final Scenario scenario, final Step step, final Outcome outcome) {
        final Difference difference = new Difference(step.number(), "setup", "performed", outcome.get("errno"));
        return Verdict.fail(scenario, step, difference, List.of());
    }
}
