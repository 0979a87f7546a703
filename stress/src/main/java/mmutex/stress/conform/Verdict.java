package mmutex.stress.conform;

import java.util.List;

/**
 * What became of a scenario.
 *
 * @param scenario which
 * @param status how it ended
 * @param step the step at which it failed or could not go on, null if it passed
 * @param difference the first one, null unless it failed
 * @param reason what is not emulated, null unless it is unsupported
 * @param trace steps around the difference, for people; empty unless asked for
 */
record Verdict(Scenario scenario, Status status, Step step, Difference difference, String reason, List<String> trace) {
    /** How a replay ends. */
    enum Status {
        PASS("pass"),
        UNSUPPORTED("unsupported"),
        FAIL("fail");

        private final String text;

        Status(final String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Verdict pass(final Scenario scenario) {
        return new Verdict(scenario, Status.PASS, null, null, null, List.of());
    }

    static Verdict unsupported(final Scenario scenario, final Step step, final String reason) {
        return new Verdict(scenario, Status.UNSUPPORTED, step, null, reason, List.of());
    }

    static Verdict fail(
            final Scenario scenario, final Step step, final Difference difference, final List<String> trace) {
        return new Verdict(scenario, Status.FAIL, step, difference, null, trace);
    }
}
