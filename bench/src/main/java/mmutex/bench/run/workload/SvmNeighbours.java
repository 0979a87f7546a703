package mmutex.bench.run.workload;

/**
 * CO-2: CPUs and each device have pages of their own, one beside the other. Ownership goes by pages, so once every page
 * has been touched there is nothing left to fault or restore.
 */
final class SvmNeighbours implements Workload {
    @Override
    public String name() {
        return "svm-neighbours";
    }

    @Override
    public String summary() {
        return "CPUs and devices on neighbouring pages: no faults after the first touch";
    }

    @Override
    public long pagesMapped(final int pages, final int devices) {
        return (long) pages * (1 + devices);
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new NeighbourScene(stage);
    }
}
