package mmutex.bench.run.workload;

/** CO-5: the counters, while others discard, fork and change protection in the same address space. */
final class SvmStorm implements Workload {
    @Override
    public String name() {
        return "svm-storm";
    }

    @Override
    public String summary() {
        return "the counters amid fork, madvise and mprotect";
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new StormScene(stage);
    }
}
