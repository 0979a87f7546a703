package mmutex.stress.conform;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import mmutex.stress.conform.Step.WatchedPage;
import mmutex.stress.conform.Verdict.Status;
import org.junit.jupiter.api.Test;

/**
 * The net has no hole: whichever field of whichever step is changed in a recording that passes, the replay fails at that
 * step and names that field.
 */
class MutatedRecordingTest {
    /** Together they hold every kind of field that the emulated operations have. */
    private static final Set<String> SCENARIOS = Set.of(
            "basic_read_restore",
            "atomic_rmw_restore",
            "zero_page_after_read",
            "hole_in_middle",
            "mprotect_r_on_exclusive",
            "fork_then_exclusive",
            "snapshot_exclusive",
            "dev_readonly_write",
            "two_handles_same_device");

    private final Replayer replayer = new Replayer(false);
    private final Set<String> kinds = new TreeSet<>();

    @Test
    void shouldNoticeAnyChangeOfAnyField() throws IOException {
        for (final Scenario scenario : Recordings.read("6.12/scenarios.jsonl.gz")) {
            if (SCENARIOS.contains(scenario.name())) {
                assertThat(replayer.replay(scenario).status()).isEqualTo(Status.PASS);
                for (int at = 0; at < scenario.steps().size(); at++) {
                    mutateResults(scenario, at);
                    mutatePages(scenario, at);
                }
            }
        }
        assertThat(kinds)
                .containsExactly(
                        "cpages", "data", "errno", "faults", "majflt", "minflt", "perm", "pm", "ret", "rss", "si_code",
                        "sig", "status", "val");
    }

    private void mutateResults(final Scenario scenario, final int at) {
        final Step step = scenario.steps().get(at);
        step.results().forEach((name, value) -> {
            if (value instanceof final List<?> list) {
                for (int i = 0; i < list.size(); i++) {
                    final List<Object> changed = new ArrayList<>(list);
                    changed.set(i, other(changed.get(i)));
                    expectFailure(scenario, at, withResult(step, name, changed), name + "." + i);
                }
            } else {
                expectFailure(scenario, at, withResult(step, name, other(value)), name);
            }
        });
    }

    private static Object other(final Object value) {
        return value instanceof final Long number ? (Object) (number + 1) : value + "X";
    }

    private void mutatePages(final Scenario scenario, final int at) {
        final Step step = scenario.steps().get(at);
        for (int page = 0; page < step.pages().size(); page++) {
            final PageText state = step.pages().get(page).state();
            final String field = step.pages().get(page).field();
            for (final PageText changed : otherStates(state, isKnown(scenario, at, page))) {
                expectFailure(scenario, at, withPage(step, page, changed), field);
            }
        }
    }

    /** Whether the page shows a frame that it showed in the step before, so that its number can be wrong. */
    private static boolean isKnown(final Scenario scenario, final int at, final int page) {
        final PageText state = scenario.steps().get(at).pages().get(page).state();
        return at > 0
                && state.frame() != PageText.NONE
                && scenario.steps().get(at - 1).pages().stream()
                        .anyMatch(before -> before.state().frame() == state.frame());
    }

    private static List<PageText> otherStates(final PageText state, final boolean known) {
        final List<PageText> others = new ArrayList<>();
        final String flags = state.flags();
        others.add(new PageText(
                flags.contains("D") ? flags.replace("D", "") : flags + "D",
                state.type(),
                state.zero(),
                state.frame(),
                state.mapCount()));
        others.add(new PageText(
                flags.contains("X") ? flags.replace("X", "") : flags.replace("P", "PX") + "X",
                state.type(),
                state.zero(),
                state.frame(),
                state.mapCount()));
        others.add(new PageText(
                flags, state.type().isEmpty() ? "exr" : "", state.zero(), state.frame(), state.mapCount()));
        others.add(new PageText(flags, state.type(), !state.zero(), state.frame(), state.mapCount()));
        others.add(new PageText(flags, state.type(), state.zero(), state.frame(), state.mapCount() + 1));
        if (known) {
            others.add(new PageText(flags, state.type(), state.zero(), state.frame() + 50, state.mapCount()));
        }
        return others;
    }

    private void expectFailure(final Scenario scenario, final int at, final Step changed, final String field) {
        final List<Step> steps = new ArrayList<>(scenario.steps());
        steps.set(at, changed);
        final Verdict verdict = replayer.replay(new Scenario(
                scenario.file(), scenario.line(), scenario.name(), scenario.profile(), scenario.tags(), steps));

        assertThat(verdict.status()).as("%s: %s", scenario.name(), changed).isEqualTo(Status.FAIL);
        assertThat(verdict.difference().step())
                .as("%s: %s", scenario.name(), changed)
                .isEqualTo(changed.number());
        assertThat(verdict.difference().field())
                .as("%s: %s", scenario.name(), changed)
                .isEqualTo(field);
        kinds.add(field.replaceAll("\\..*", ""));
    }

    private static Step withResult(final Step step, final String name, final Object value) {
        final Map<String, Object> results = new LinkedHashMap<>(step.results());
        results.put(name, value);
        return new Step(
                step.number(), step.setup(), step.who(), step.operation(), step.arguments(), results, step.pages());
    }

    private static Step withPage(final Step step, final int page, final PageText state) {
        final List<WatchedPage> pages = new ArrayList<>(step.pages());
        final WatchedPage before = pages.get(page);
        pages.set(page, new WatchedPage(before.region(), before.index(), state));
        return new Step(
                step.number(), step.setup(), step.who(), step.operation(), step.arguments(), step.results(), pages);
    }
}
