package mmutex.bench.nativefloor;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mmutex.cli.Json;

/** Samples in ns, as {@code bench/native/floor.h} keeps them: the same cap, the same percentiles. One thread. */
public final class Samples {
    private static final int MAX = 1 << 21;
    private static final int CLOCK_READINGS = 20_001;

    private final String name;
    private double[] values = new double[1 << 10];
    private int count;

    public Samples(final String name) {
        this.name = name;
    }

    /** What two readings of System.nanoTime in a row are apart: the median. */
    public static double clockNs() {
        double result = 0;
        for (int round = 0; round < 3; round++) { // the last one counts: it is compiled code by then
            final Samples readings = new Samples("clock");
            for (int i = 0; i < CLOCK_READINGS; i++) {
                final long begin = System.nanoTime();
                readings.add(System.nanoTime() - begin);
            }
            result = readings.quantile(0.5);
        }
        return result;
    }

    /** Adds one, unless there are too many; negative ones, of a clock that was read faster than usual, count as 0. */
    public void add(final double ns) {
        if (count == MAX) {
            return;
        }
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = Math.max(0, ns);
    }

    /** Adds what a batch takes by operation, the clock's own time taken off. */
    public void time(final double clockNs, final long operations, final Runnable batch) {
        final long begin = System.nanoTime();
        batch.run();
        add((System.nanoTime() - begin - clockNs) / operations);
    }

    /** The smallest sample that is not below the given part of all. */
    public double quantile(final double part) {
        final double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return sorted[Math.min(count - 1, (int) (part * count))];
    }

    /** Prints what a C program prints: an object on standard output. */
    public static void print(final String program, final double clockNs, final List<Samples> rows) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("program", program);
        json.put("clockNs", clockNs);
        json.put("rows", rows.stream().map(Samples::toJson).toList());
        System.out.println(Json.line(json));
    }

    /** A row as the C programs print it. */
    private Map<String, Object> toJson() {
        final Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", name);
        if (count == 0) {
            row.put("unavailable", "no sample was taken");
            return row;
        }
        row.put("unit", "ns");
        row.put("count", count);
        row.put("mean", Arrays.stream(values, 0, count).average().orElseThrow());
        row.put("median", quantile(0.5));
        row.put("p99", quantile(0.99));
        row.put("max", quantile(1));
        return row;
    }
}
