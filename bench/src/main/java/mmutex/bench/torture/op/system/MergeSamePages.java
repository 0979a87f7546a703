package mmutex.bench.torture.op;

/** Pages with the same contents are made to share a frame, as ksmd does where it was allowed to. */
final class MergeSamePages implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        hand.world().mergeSamePages(hand.cpu());
    }
}
