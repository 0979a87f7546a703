package mmutex.bench.run;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import mmutex.bench.anatomy.AnatomyProbe;
import mmutex.bench.anatomy.Band;
import mmutex.bench.anatomy.Breakdown;
import mmutex.bench.anatomy.Phases;

/** What a path's time consists of, for people: a column for the fast runs of it, one for the slow ones, and so on. */
final class PhaseReport {
    private static final String LINE = " %-24s%13s%11s%11s%13s%13s%9s";
    private static final String INDENT = "  ";
    private static final double HUNDRED = 100;

    /** Whole and sum of phases should not be farther apart. */
    private static final double DISTANCE_MAX = 0.1;

    private final PrintWriter out;

    PhaseReport(final PrintWriter out) {
        this.out = out;
    }

    /** One path's table, and what its figures are worth. */
    void path(final String label, final Breakdown breakdown) {
        if (!breakdown.isKnown()) {
            out.println(" " + label + ": too few runs to take apart");
            out.println();
            return;
        }
        final Band most = breakdown.most();
        final List<Object> header = new ArrayList<>(List.of("phases, mean ns"));
        breakdown.bands().forEach(band -> header.add(range(band)));
        header.add(range(most));
        header.add("share");
        out.println(line(header));
        row(label, breakdown, Band::wholeNs, "");
        for (int i = 0; i < most.phasesNs().length; i++) {
            final int place = i;
            row(
                    INDENT + Phases.labelAt(breakdown.path(), i),
                    breakdown,
                    band -> band.phasesNs()[place],
                    percent("%.1f %%", most.phasesNs()[i] / most.sumNs()));
        }
        row(INDENT + "sum of the phases", breakdown, Band::sumNs, "");
        final List<Object> distances = new ArrayList<>(List.of(INDENT + "the sum is off by"));
        breakdown.bands().forEach(band -> distances.add(percent("%+.1f %%", band.distance())));
        distances.add(percent("%+.1f %%", most.distance()));
        distances.add("");
        out.println(line(distances));
        cost(breakdown);
        out.println();
    }

    private void row(
            final String label, final Breakdown breakdown, final ToDoubleFunction<Band> figure, final String share) {
        final List<Object> cells = new ArrayList<>(List.of(label));
        breakdown.bands().forEach(band -> cells.add(nanoseconds(figure.applyAsDouble(band))));
        cells.add(nanoseconds(figure.applyAsDouble(breakdown.most())));
        cells.add(share);
        out.println(line(cells));
    }

    private void cost(final Breakdown breakdown) {
        final Band most = breakdown.most();
        out.println(String.format(
                Locale.ROOT,
                "  1 run of %d was timed phase by phase (%s), the others as a whole (%s).",
                AnatomyProbe.ONE_IN,
                Figures.grouped(breakdown.dissected()),
                Figures.grouped(breakdown.wholes())));
        out.println(String.format(
                Locale.ROOT,
                "  A time stamp costs %.1f ns (%.1f around a whole) and is taken off. The former had %.1f of them on",
                breakdown.cost().markNs(),
                breakdown.cost().wholeNs(),
                most.intervals()));
        out.println(String.format(
                Locale.ROOT,
                "  the way: %s ns, %s of the whole; their sum was %s ns with them.",
                nanoseconds(most.rawNs() - most.sumNs()),
                percent("%.0f %%", most.overhead()),
                nanoseconds(most.rawNs())));
        if (!(Math.abs(most.distance()) <= DISTANCE_MAX)) {
            out.println("  MORE THAN 10 % OFF: too few runs, or too much else on this machine.");
        }
    }

    private static String range(final Band band) {
        if (band.from() == 0) {
            return String.format(Locale.ROOT, "fastest %.0f %%", HUNDRED * band.to());
        }
        return band.to() == 1
                ? String.format(Locale.ROOT, "slowest %.0f %%", HUNDRED * (1 - band.from()))
                : String.format(Locale.ROOT, "%.0f-%.0f %%", HUNDRED * band.from(), HUNDRED * band.to());
    }

    private static String nanoseconds(final double value) {
        return Double.isNaN(value) ? "-" : Figures.nanoseconds(Math.round(value));
    }

    private static String percent(final String format, final double fraction) {
        return Double.isFinite(fraction) ? String.format(Locale.ROOT, format, HUNDRED * fraction) : "-";
    }

    private static String line(final List<Object> cells) {
        return String.format(Locale.ROOT, LINE, cells.toArray()).stripTrailing();
    }
}
