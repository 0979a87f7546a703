package mmutex.stress.conform;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import mmutex.stress.conform.Step.WatchedPage;

/**
 * Compares what a step shows with what was recorded: every field that the recording holds, and no other. Frames are
 * compared by identity, as {@link FrameNames} keeps it over the scenario.
 */
final class StepComparator {
    private final FrameNames names = new FrameNames();

    /** The first difference, or null. */
    Difference compare(final Step step, final Observation observed) {
        for (final Map.Entry<String, Object> recorded : step.results().entrySet()) {
            final Object actual = observed.fields().get(recorded.getKey());
            final Difference difference = field(step, recorded.getKey(), recorded.getValue(), actual);
            if (difference != null) {
                return difference;
            }
        }
        for (int i = 0; i < step.pages().size(); i++) {
            final WatchedPage page = step.pages().get(i);
            final PageText actual = observed.pages().get(i);
            if (!isSame(page.state(), actual)) {
                return new Difference(step.number(), page.field(), page.state().toString(), text(actual));
            }
        }
        return null;
    }

    /** A page of the emulator, its frame called as the recording calls it; {@code ?} if the recording never saw it. */
    String text(final PageText page) {
        return page.toText(names.nameOf(page.frame()));
    }

    /**
     * Forgets frames as the recorder did: before the first fork those that the step does not show, later those that no
     * process shows any more. What is forgotten may come back under another number, or its number as another frame.
     */
    void forget(final World world, final Observation observed) {
        if (world.hasForked()) {
            names.retain(world.visibleFrames());
        } else {
            final Set<Long> shown = new HashSet<>();
            observed.pages().forEach(page -> shown.add(page.frame()));
            names.retain(shown);
        }
    }

    /**
     * A process is about to end: forgets the frames that only it shows. They may be used again before anybody looks, since
     * its devices are closed with it, which brings pages back from their memory.
     */
    void forgetOf(final World world, final String process) {
        names.retain(world.visibleFramesWithout(process));
    }

    private boolean isSame(final PageText expected, final PageText actual) {
        return expected.looksLike(actual)
                && (expected.frame() == PageText.NONE || names.match(expected.frame(), actual.frame()));
    }

    private static Difference field(final Step step, final String name, final Object expected, final Object actual) {
        if (!(expected instanceof final List<?> list)) {
            return Objects.equals(expected, actual) ? null : new Difference(step.number(), name, expected, actual);
        }
        final List<?> actualList = actual instanceof final List<?> other ? other : List.of();
        for (int i = 0; i < Math.max(list.size(), actualList.size()); i++) {
            final Object element = i < list.size() ? list.get(i) : null;
            final Object actualElement = i < actualList.size() ? actualList.get(i) : null;
            if (!Objects.equals(element, actualElement)) {
                return new Difference(step.number(), name + "." + i, element, actualElement);
            }
        }
        return null;
    }
}
