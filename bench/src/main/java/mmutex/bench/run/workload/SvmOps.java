package mmutex.bench.run.workload;

/** CO-4: the kinds of atomics: add, exchange, compare-and-exchange loops, on 64 and 32 bits. */
final class SvmOps implements Workload {
    @Override
    public String name() {
        return "svm-ops";
    }

    @Override
    public String summary() {
        return "add, exchange and compare-exchange loops, 64 and 32 bits";
    }

    @Override
    public Scene prepare(final Stage stage) {
        return new OpsScene(stage);
    }
}
