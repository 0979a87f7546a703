package mmutex.bench.targets;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import mmutex.bench.baseline.ExclusivePages;
import mmutex.bench.baseline.Implementation;
import mmutex.bench.nativefloor.Samples;

/**
 * One implementation of exclusive pages, in a VM of its own: {@code IMPLEMENTATION PAGES THREADS SECONDS}. Rows {@code access}
 * (a CPU's addition to a page that it has) and {@code pair} (a device makes a page exclusive, a CPU adds to it), in ns an
 * operation as one thread sees it. Threads have pages of their own: what they share is the structure.
 */
public final class Rivals {
    private static final int BATCH = 256;
    /** Odd, so that every page's turn comes: page numbers are powers of two. */
    private static final int STRIDE = 40_503;

    private static final int WARM_UP_BATCHES = 4000;
    private static final double NANOS_PER_SECOND = 1e9;

    private final ExclusivePages pages;
    private final int threads;
    private final double seconds;
    private final double clockNs = Samples.clockNs();
    private final CyclicBarrier start;

    private Rivals(final Implementation implementation, final int count, final int threads, final double seconds) {
        this.pages = implementation.open(count, threads, threads);
        this.threads = threads;
        this.seconds = seconds;
        this.start = new CyclicBarrier(threads);
    }

    /** Measures. */
    public static void main(final String[] args) throws InterruptedException {
        final Rivals rivals = new Rivals(
                Implementation.valueOf(args[0]),
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                Double.parseDouble(args[3]));
        Samples.print("rivals", rivals.clockNs, rivals.measure());
    }

    private List<Samples> measure() throws InterruptedException {
        final List<Worker> workers = new ArrayList<>();
        for (int number = 0; number < threads; number++) {
            final Worker worker = new Worker(number);
            worker.start();
            workers.add(worker);
        }
        for (final Worker worker : workers) {
            worker.join();
            if (worker.failure != null) {
                throw new IllegalStateException("a thread failed", worker.failure);
            }
        }
        return List.of(workers.get(0).access, workers.get(0).pair);
    }

    /** A thread: its CPU, its device, its pages. */
    private final class Worker extends Thread {
        private final int number;
        private final int mask = pages.pages() / threads - 1;
        private int step;
        private Samples access = new Samples("access");
        private Samples pair = new Samples("pair");
        private volatile Throwable failure;

        private Worker(final int number) {
            super("worker" + number);
            this.number = number;
        }

        @Override
        public void run() {
            try {
                repeat(WARM_UP_BATCHES, seconds);
                start.await();
                access = new Samples("access");
                pair = new Samples("pair");
                repeat(1, seconds);
            } catch (final Throwable t) {
                failure = t;
            }
        }

        private void repeat(final int batchesMax, final double secondsMax) {
            final long begin = System.nanoTime();
            final boolean warming = batchesMax > 1;
            for (int batch = 0;
                    (!warming || batch < batchesMax) && System.nanoTime() - begin < secondsMax * NANOS_PER_SECOND;
                    batch++) {
                final long restores = pages.restores(number);
                final long first = System.nanoTime();
                for (int i = 0; i < BATCH; i++) {
                    pages.add(number, nextPage(), 1);
                }
                final long second = System.nanoTime();
                for (int i = 0; i < BATCH; i++) {
                    final int page = nextPage();
                    pages.make(number, page);
                    pages.add(number, page, 1);
                }
                final long third = System.nanoTime();
                access.add((second - first - clockNs) / BATCH);
                pair.add((third - second - clockNs) / BATCH);
                if (pages.restores(number) - restores != BATCH) { // a pair is one make and one restore
                    throw new IllegalStateException("restores=" + (pages.restores(number) - restores));
                }
            }
        }

        private int nextPage() {
            step++;
            return (step * STRIDE & mask) * threads + number;
        }
    }
}
