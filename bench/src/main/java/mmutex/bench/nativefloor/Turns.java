package mmutex.bench.nativefloor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.cli.ProgressBar;

/** Steps that measure, one after the other, then all again: what disturbs the machine for a while disturbs all of them. */
public final class Turns {
    /** Measures once. */
    @FunctionalInterface
    public interface Step {
        NativeResult run() throws IOException;
    }

    private final Map<String, Step> steps = new LinkedHashMap<>();

    /** Adds a step behind the others. */
    public void add(final String name, final Step step) {
        steps.put(name, step);
    }

    /** Takes the steps so many times, with progress on standard error; returns results by step, a map each time. */
    public List<Map<String, NativeResult>> take(final int times) throws IOException {
        final List<Map<String, NativeResult>> all = new ArrayList<>();
        try (ProgressBar bar = ProgressBar.onStandardError()) {
            int done = 0;
            for (int time = 0; time < times; time++) {
                final Map<String, NativeResult> results = new LinkedHashMap<>();
                for (final Map.Entry<String, Step> step : steps.entrySet()) {
                    bar.update((double) done++ / (times * steps.size()), step.getKey());
                    results.put(step.getKey(), step.getValue().run());
                }
                all.add(results);
            }
            bar.update(1, "done");
        }
        return all;
    }
}
