package mmutex.device;

import org.jctools.queues.atomic.MpscAtomicArrayQueue;

/**
 * The fault buffer: lanes put what they missed, the driver takes batches. A lane has at most one fault outstanding. When
 * the buffer is full, the fault is dropped and the lane has to fault again, as on hardware.
 *
 * <p>Threads: any number of producers, one consumer. The atomic variant of the queue, because it needs no
 * {@code sun.misc.Unsafe} and so prints nothing on recent JDKs.
 */
final class FaultQueue {
    private final MpscAtomicArrayQueue<DeviceFault> queue;

    /** With room for so many faults, a power of two. */
    FaultQueue(final int capacity) {
        this.queue = new MpscAtomicArrayQueue<>(capacity);
    }

    /** Puts a fault; false if there is no room. */
    boolean put(final DeviceFault fault) {
        // ORDER(fault-queue) release inside offer: the fault's fields come before its hand-over. Pairs with poll.
        return queue.offer(fault);
    }

    DeviceFault poll() {
        return queue.poll(); // ORDER(fault-queue) acquire inside poll: the fields belong to this hand-over
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }
}
