package mmutex.bench.run;

import java.util.Locale;
import mmutex.cli.ProgressBar;

/** Shows a run's progress on the terminal. */
final class BarObserver implements Experiment.Observer {
    private final ProgressBar bar;

    BarObserver(final ProgressBar bar) {
        this.bar = bar;
    }

    @Override
    public void progressed(final double fraction, final long elapsedNs, final long restores, final long operations) {
        bar.update(
                fraction,
                String.format(
                        Locale.ROOT,
                        "%.1f s · %s restores · %s operations",
                        elapsedNs / 1e9,
                        Figures.grouped(restores),
                        Figures.compact(operations)));
    }
}
