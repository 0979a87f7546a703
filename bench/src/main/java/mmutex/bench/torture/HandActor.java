package mmutex.bench.torture;

import java.util.List;
import java.util.SplittableRandom;
import mmutex.bench.run.ActorThread;
import mmutex.bench.run.StartingLine;
import mmutex.bench.run.StopSignal;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** A hand's thread: one operation after the other, by weight. */
final class HandActor extends ActorThread {
    private final Hand hand;
    private final Gate gate;
    private final List<TortureOperation> operations;
    private final SplittableRandom dice;
    private final int weights;
    private final long[] performed;

    HandActor(
            final Hand hand,
            final List<TortureOperation> operations,
            final SplittableRandom dice,
            final Gate gate,
            final StopSignal stop,
            final StartingLine line) {
        super(hand.cpu().name(), stop, line);
        this.hand = hand;
        this.gate = gate;
        this.operations = operations;
        this.dice = dice;
        this.weights = operations.stream().mapToInt(TortureOperation::weight).sum();
        this.performed = new long[operations.size()];
    }

    @Override
    protected void prepare() {}

    @Override
    protected void work() {
        try {
            for (long done = 1; mayGoOn(); done++) {
                final int choice = choose();
                operations.get(choice).perform(hand);
                performed[choice]++;
                progress().operations(done);
                if (done % 16 == 0) {
                    Thread.yield(); // more hands than cores
                }
            }
        } finally {
            gate.park();
        }
    }

    /** Asked in this order: once it is stopped, whoever leaves the gate finds no handler of faults any more. */
    private boolean mayGoOn() {
        gate.pass();
        return !stop().isSet();
    }

    private int choose() {
        int rest = dice.nextInt(weights);
        int choice = 0;
        while (rest >= operations.get(choice).weight()) {
            rest -= operations.get(choice++).weight();
        }
        return choice;
    }

    Hand hand() {
        return hand;
    }

    /** How often it performed an operation; once it has ended. */
    long performed(final int operation) {
        return performed[operation];
    }
}
