package mmutex.bench.run;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import mmutex.bench.anatomy.Phases;
import mmutex.bench.run.workload.Verdict;
import mmutex.cli.Choice;
import mmutex.cli.Environment;
import mmutex.notify.Protocol;
import mmutex.sync.PhaseProbe.Phase;
import org.HdrHistogram.Histogram;

/** A run's result for people, in lines of 100 columns. */
final class TextReport {
    /** Counters listed one by one; of more, only those that are wrong. */
    private static final int COUNTS_LISTED_MAX = 8;

    private static final int VERDICT_COLUMN = 88;
    private static final String LATENCY_LINE = " %-24s%11s%11s%11s%11s%14s%14s";
    private static final String ACTOR_LINE = " %-12s%16s%10s%8s%14s%14s%12s%12s";
    private static final String DEVICE_LINE = " %-12s%16s%10s%14s%10s%10s%20s";
    private static final double[] PERCENTILES = {50, 90, 99, 99.9};

    private final PrintWriter out;

    TextReport(final PrintWriter out) {
        this.out = out;
    }

    /** The first lines: what is run, and everything needed to run it again. */
    void header(final RunOptions options, final Environment environment) {
        out.println(title(options, environment));
    }

    /** Workload, options and seed in one line. */
    static String title(final RunOptions options, final Environment environment) {
        return "mmutex " + environment.release()
                + " · " + options.workload().name()
                + " · " + Figures.count(options.cpus(), "cpu")
                + ", " + Figures.count(options.devices(), "device")
                + (options.devices() == 0 ? "" : " (" + Figures.count(options.lanes(), "lane") + ")")
                + ", " + Figures.count(options.pages(), "page")
                + ", " + Figures.seconds(options.seconds())
                + " · " + options.profile()
                + " · " + Choice.word(options.delivery())
                + (options.protocol() == Protocol.INTERVAL ? "" : " · " + Choice.word(options.protocol()))
                + " · seed " + options.seed();
    }

    /** Everything else. */
    void result(final RunResult result, final Environment environment) {
        conditions(result, environment);
        out.println();
        latencies(result);
        out.println();
        if (result.options().phases()) {
            final PhaseReport phases = new PhaseReport(out);
            phases.path("CPU fault -> restored", result.restore().breakdown());
            phases.path("device make exclusive", result.make().breakdown());
        }
        actors(result);
        out.println();
        if (result.devices().size() > 1) {
            fairness(result);
            out.println();
        }
        oracle(result.verdict());
        invariants(result.invariants());
    }

    private void conditions(final RunResult result, final Environment environment) {
        out.println(" " + result.encoding()
                + " · JDK " + environment.jdk().replaceAll(" .*", "")
                + " · " + Figures.count(environment.cores(), "core") + " for "
                + Figures.count(result.actorCount(), "actor")
                + (result.quantumNs() == 0
                        ? ""
                        : ", yielding every " + Figures.grouped(result.quantumNs() / 1000) + " us")
                + " · commit " + environment.commit());
    }

    // ---- latencies ------------------------------------------------------------------------------------------

    private void latencies(final RunResult result) {
        out.println(line(LATENCY_LINE, "latency, ns", "p50", "p90", "p99", "p99.9", "max", "count"));
        path("CPU fault -> restored", result.restore());
        path("device make exclusive", result.make());
        out.println(row("CPU access, TLB hit", result.hits(), CpuActor.BATCH));
    }

    private void path(final String label, final PathLatency latency) {
        out.println(row(label, latency.total(), 1));
        if (latency.total().getTotalCount() != 0) {
            for (final Phase phase : Phases.of(latency.path())) {
                out.println(row("  " + Phases.label(phase), latency.phases().get(phase), 1));
            }
        }
    }

    /** A histogram's line; {@code operations} is what each of its values stands for. */
    static String row(final String label, final Histogram histogram, final int operations) {
        final Object[] cells = new Object[7];
        cells[0] = label;
        if (histogram.getTotalCount() == 0) {
            Arrays.fill(cells, 1, cells.length, "-");
        } else {
            for (int i = 0; i < PERCENTILES.length; i++) {
                cells[1 + i] = Figures.nanoseconds(histogram.getValueAtPercentile(PERCENTILES[i]) / operations);
            }
            cells[5] = Figures.nanoseconds(histogram.getMaxValue() / operations);
        }
        cells[6] = Figures.grouped(histogram.getTotalCount() * operations);
        return line(LATENCY_LINE, cells);
    }

    // ---- several devices ------------------------------------------------------------------------------------

    /** Who got how much, and who waited how long. */
    private void fairness(final RunResult result) {
        final List<RunResult.Actor> devices = result.devices();
        final long operations =
                devices.stream().mapToLong(RunResult.Actor::operations).sum();
        final long makes = devices.stream().mapToLong(RunResult.Actor::paths).sum();
        out.println(line(
                DEVICE_LINE, "per device", "operations", "share", "makes", "share", "waiting", "longest wait, ns"));
        for (final RunResult.Actor device : devices) {
            out.println(line(
                    DEVICE_LINE,
                    device.name(),
                    Figures.grouped(device.operations()),
                    Figures.percent(device.operations(), operations),
                    Figures.grouped(device.paths()),
                    Figures.percent(device.paths(), makes),
                    Figures.percent(device.waits().totalNs(), result.elapsedNs()),
                    Figures.nanoseconds(device.waits().longestNs())));
        }
        out.println(line(
                " fairness    Jain's index %.3f by operations, %.3f by makes (1 is even, %.2f the worst)",
                Fairness.jain(devices, RunResult.Actor::operations),
                Fairness.jain(devices, RunResult.Actor::paths),
                1.0 / devices.size()));
    }

    // ---- actors ---------------------------------------------------------------------------------------------

    private void actors(final RunResult result) {
        final double seconds = result.elapsedNs() / 1e9;
        out.println(line(
                ACTOR_LINE, "per actor", "operations", "ops/s", "share", "faults", "restores", "makes", "retries"));
        for (final RunResult.Actor actor : result.actors()) {
            out.println(line(
                    ACTOR_LINE,
                    actor.name(),
                    Figures.grouped(actor.operations()),
                    Figures.compact(actor.operations() / seconds),
                    Figures.percent(actor.operations(), result.operations()),
                    Figures.grouped(actor.faults()),
                    actor.isCpu() ? Figures.grouped(actor.paths()) : "-",
                    actor.isCpu() ? "-" : Figures.grouped(actor.paths()),
                    actor.isCpu() ? "-" : Figures.grouped(actor.retries())));
        }
        final long restores = result.restore().total().getTotalCount();
        final long makes = result.make().total().getTotalCount();
        out.println(line(
                ACTOR_LINE,
                String.format(Locale.ROOT, "%.1f s", seconds),
                Figures.grouped(result.operations()),
                Figures.compact(result.operations() / seconds),
                "",
                "per second:",
                Figures.compact(restores / seconds),
                Figures.compact(makes / seconds),
                Figures.compact(result.retries() / seconds)));
        out.println(" " + Figures.count(result.shootDowns(), "shoot-down"));
        if (!result.disturbances().isEmpty()) {
            out.println(" "
                    + result.disturbances().stream()
                            .flatMap(tally -> tally.entrySet().stream())
                            .map(entry -> Figures.grouped(entry.getValue()) + " x " + entry.getKey())
                            .collect(Collectors.joining(", ")));
        }
    }

    // ---- verdicts -------------------------------------------------------------------------------------------

    private void oracle(final Verdict verdict) {
        final long lost = verdict.lost();
        final String found = Figures.grouped(verdict.expected()) + " " + verdict.unit() + " expected, "
                + Figures.grouped(verdict.found()) + " found"
                + (lost == 0 ? "" : ": " + Figures.grouped(lost) + " LOST");
        if (!verdict.mustLose()) {
            verdict(" oracle      " + found, lost == 0);
        } else if (lost != 0) {
            out.println(" oracle      " + found);
            verdict("             as it must: this workload skips the protocol", true);
        } else {
            out.println(" oracle      " + found);
            verdict("             but this workload must lose some: the oracle is blind", false);
        }
        counts(verdict.counts());
        verdict.conditions().forEach(condition -> verdict("             " + condition.text(), condition.holds()));
    }

    private void counts(final List<Verdict.Count> counts) {
        final boolean all = counts.size() <= COUNTS_LISTED_MAX;
        final List<Verdict.Count> listed = counts.stream()
                .filter(count -> all || count.lost() != 0)
                .limit(COUNTS_LISTED_MAX)
                .toList();
        for (final Verdict.Count count : listed) {
            out.println(line(
                    "             %-14s%18s expected%18s found%s",
                    count.name(),
                    Figures.grouped(count.expected()),
                    Figures.grouped(count.found()),
                    count.lost() == 0 ? "" : ": " + Figures.grouped(count.lost()) + " lost"));
        }
        if (!all) {
            final long wrong =
                    counts.stream().filter(count -> count.lost() != 0).count();
            out.println("             " + Figures.grouped(counts.size()) + " counters, "
                    + (wrong == 0 ? "each as expected" : Figures.grouped(wrong) + " wrong"));
        }
    }

    private void invariants(final Referee.Outcome outcome) {
        verdict(
                " invariants  " + outcome.invariants() + " checked "
                        + Figures.count(outcome.timesDuring(), "time") + " and at the end, "
                        + outcome.violations().size() + " violated",
                outcome.violations().isEmpty());
        outcome.violations().forEach(violation -> out.println("             " + violation));
    }

    private void verdict(final String text, final boolean ok) {
        out.println(line("%-" + VERDICT_COLUMN + "s %s", text, ok ? "ok" : "FAILED"));
    }

    private static String line(final String format, final Object... cells) {
        return String.format(Locale.ROOT, format, cells).stripTrailing();
    }
}
