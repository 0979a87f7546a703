package mmutex.bench.torture.op;

/** Pages are moved together, as kcompactd does. */
final class Compact implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        hand.world().machine().compact(hand.cpu());
    }
}
