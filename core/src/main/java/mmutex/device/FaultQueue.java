package mmutex.device;

import org.jctools.queues.atomic.MpscAtomicArrayQueue;

/**
 * The fault buffer: lanes put what they missed, the driver takes batches. A lane has at most one fault outstanding, so
 * the queue never overflows.
 *
 * <p>Threads: any number of producers, one consumer. The atomic variant of the queue, because it needs no
 * {@code sun.misc.Unsafe} and so prints nothing on recent JDKs.
 */
final class FaultQueue {
    private final MpscAtomicArrayQueue<DeviceFault> queue;

    FaultQueue(final int lanes) {
        this.queue = new MpscAtomicArrayQueue<>(Math.max(2, lanes));
    }

    void put(final DeviceFault fault) {
        // ORDER(fault-queue) release inside offer: the fault's fields come before its hand-over. Pairs with poll.
        if (!queue.offer(fault)) {
            throw new IllegalStateException("more faults outstanding than lanes: lane=" + fault.lane.id());
        }
    }

    DeviceFault poll() {
        return queue.poll(); // ORDER(fault-queue) acquire inside poll: the fields belong to this hand-over
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }
}
