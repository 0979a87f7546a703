package mmutex.machine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import mmutex.device.DeviceBuffer;
import mmutex.fault.Signal;
import mmutex.mm.Errno;
import mmutex.mm.Task;

/**
 * A request's buffer in the memory of the process that makes it: copy_to_user and copy_from_user are accesses like
 * others, they fault and restore. The requesting task must be a {@link Cpu} that runs the process.
 *
 * <p>Any address and any length. Bytes beside a partly covered word keep what others write to them meanwhile.
 */
public final class UserBuffer implements DeviceBuffer {
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final long addr;

    /** A buffer at an address. */
    public UserBuffer(final long addr) {
        this.addr = addr;
    }

    @Override
    public Errno copyOut(final Task task, final byte[] from, final int length) {
        final Cpu cpu = cpu(task);
        for (int done = 0; done < length; ) {
            final int skipped = (int) (addr + done) & Integer.BYTES - 1;
            final int count = Math.min(Integer.BYTES - skipped, length - done);
            final long word = addr + done - skipped;
            final Signal signal = count == Integer.BYTES
                    ? cpu.storeInt(word, (int) INTS.get(from, done))
                    : storePart(cpu, word, skipped, from, done, count);
            if (signal != Signal.NONE) {
                return Errno.EFAULT;
            }
            done += count;
        }
        return Errno.OK;
    }

    @Override
    public Errno copyIn(final Task task, final byte[] to, final int length) {
        final Cpu cpu = cpu(task);
        final byte[] bytes = new byte[Integer.BYTES];
        for (int done = 0; done < length; ) {
            final int skipped = (int) (addr + done) & Integer.BYTES - 1;
            final int count = Math.min(Integer.BYTES - skipped, length - done);
            if (cpu.loadInt(addr + done - skipped) != Signal.NONE) {
                return Errno.EFAULT;
            }
            INTS.set(bytes, 0, (int) cpu.value());
            System.arraycopy(bytes, skipped, to, done, count);
            done += count;
        }
        return Errno.OK;
    }

    /** Replaces some bytes of a word. Guesses its value first instead of reading it: one fault, the write's, suffices. */
    private static Signal storePart(
            final Cpu cpu, final long word, final int skipped, final byte[] from, final int index, final int count) {
        final byte[] bytes = new byte[Integer.BYTES];
        int expected = 0;
        while (true) { // a failed compare-and-set means a wrong guess, or that somebody else wrote to the word
            INTS.set(bytes, 0, expected);
            System.arraycopy(from, index, bytes, skipped, count);
            Signal signal = cpu.compareAndSetInt(word, expected, (int) INTS.get(bytes, 0));
            if (signal != Signal.NONE || cpu.value() != 0) {
                return signal;
            }
            signal = cpu.loadInt(word);
            if (signal != Signal.NONE) {
                return signal;
            }
            expected = (int) cpu.value();
        }
    }

    private static Cpu cpu(final Task task) {
        if (task instanceof Cpu cpu) {
            return cpu;
        }
        throw new IllegalArgumentException("user memory is reached by a CPU only: task=" + task);
    }
}
