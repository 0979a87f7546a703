package mmutex.stress.conform;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.machine.UserBuffer;

/**
 * Requests to the test devices. A request acts on the memory of the process that opened the handle, whoever makes it;
 * its buffer lies outside the watched memory unless the step says otherwise.
 */
final class DeviceActions {
    /** What a program finds at an address that is never mapped. */
    private static final long UNMAPPED = 0x10;

    private static final int BLOCK_LENGTH = 5 * Long.BYTES;
    private static final int SHOWN_PAGES = 8;
    private static final long WORD_MASK = 0xffff_ffffL;
    /** Pages in a buffer at most; a request for more fails before or while it allocates its own. */
    private static final long BUFFER_PAGES = 1 << 16;

    private DeviceActions() {}

    static Outcome exclusive(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        if (handle == null) {
            return closed();
        }
        if (step.has("block")) {
            return Outcome.of(new UserBuffer(UNMAPPED).copyIn(party.cpu(), new byte[BLOCK_LENGTH], BLOCK_LENGTH));
        }
        if (step.has("ptr")) {
            return Outcome.of(handle.exclusive(party.cpu(), step.at(), pages(step), userBuffer(step))
                    .errno());
        }
        final byte[] buffer = buffer(step);
        final Result result = handle.exclusive(party.cpu(), step.at(), pages(step), DeviceBuffer.ofArray(buffer));
        return data(outcome(result), step, buffer);
    }

    static Outcome read(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        if (handle == null) {
            return closed();
        }
        final byte[] buffer = buffer(step);
        final Result result = handle.read(party.cpu(), step.at(), pages(step), DeviceBuffer.ofArray(buffer));
        return data(outcome(result), step, buffer);
    }

    /** Page k of the source consists of the word val + k. */
    static Outcome write(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        if (handle == null) {
            return closed();
        }
        final ByteBuffer words = ByteBuffer.wrap(buffer(step)).order(ByteOrder.nativeOrder());
        while (words.hasRemaining()) {
            words.putInt((int) (step.number("val") + (words.position() >>> Place.PAGE_SHIFT)));
        }
        return outcome(handle.write(party.cpu(), step.at(), pages(step), DeviceBuffer.ofArray(words.array())));
    }

    static Outcome checkExclusive(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        return handle == null ? closed() : outcome(handle.checkExclusive(party.cpu(), step.at(), pages(step)));
    }

    static Outcome snapshot(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        if (handle == null) {
            return closed();
        }
        final byte[] permissions = new byte[shortened(step)];
        final Result result = handle.snapshot(party.cpu(), step.at(), pages(step), DeviceBuffer.ofArray(permissions));
        final Outcome outcome = outcome(result);
        if (outcome.isSuccess()) {
            final List<Object> shown = new ArrayList<>();
            for (int page = 0; page < Math.min(SHOWN_PAGES, permissions.length); page++) {
                shown.add(String.format("0x%02x", permissions[page]));
            }
            outcome.with("perm", shown);
        }
        return outcome;
    }

    static Outcome migrateToDevice(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        if (handle == null) {
            return closed();
        }
        final byte[] buffer = buffer(step);
        final Result result = handle.migrateToDevice(party.cpu(), step.at(), pages(step), DeviceBuffer.ofArray(buffer));
        return data(outcome(result), step, buffer);
    }

    static Outcome migrateToSystem(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        return handle == null ? closed() : outcome(handle.migrateToSystem(party.cpu(), step.at(), pages(step)));
    }

    static Outcome release(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        return handle == null ? closed() : outcome(handle.release(party.cpu(), step.at(), pages(step)));
    }

    /** With a valid block; here, of one page. */
    static Outcome unknownRequest(final World world, final Party party, final Step step) {
        final MirrorHandle handle = handle(party, step);
        return handle == null ? closed() : outcome(handle.unknown(party.cpu(), Place.ofPage('A', 0), 1));
    }

    static Outcome close(final World world, final Party party, final Step step) {
        return party.close(number(step)) ? Outcome.returned(0) : closed();
    }

    static Outcome reopen(final World world, final Party party, final Step step) {
        party.close(number(step));
        party.open(number(step), world.open((int) step.number("device"), party));
        return Outcome.returned(0);
    }

    /** The driver computes in bytes, in 64 bits; what it sees of a number of pages is this. */
    private static long pages(final Step step) {
        return step.length() >>> Place.PAGE_SHIFT;
    }

    private static int number(final Step step) {
        return (int) step.number("dev");
    }

    private static MirrorHandle handle(final Party party, final Step step) {
        return party.handle(number(step));
    }

    private static Outcome closed() {
        return Outcome.failed("EBADF");
    }

    private static DeviceBuffer userBuffer(final Step step) {
        return new UserBuffer(step.arguments().get("ptr") instanceof final Place place ? place.address() : UNMAPPED);
    }

    private static byte[] buffer(final Step step) {
        return new byte[shortened(step) << Place.PAGE_SHIFT];
    }

    private static int shortened(final Step step) {
        final long pages = pages(step);
        return pages <= BUFFER_PAGES ? (int) pages : 0;
    }

    private static Outcome outcome(final Result result) {
        final Outcome outcome = Outcome.of(result.errno());
        return outcome.isSuccess() ? outcome.with("cpages", result.cpages()).with("faults", result.faults()) : outcome;
    }

    private static Outcome data(final Outcome outcome, final Step step, final byte[] buffer) {
        if (outcome.isSuccess()) {
            final ByteBuffer words = ByteBuffer.wrap(buffer).order(ByteOrder.nativeOrder());
            final List<Object> shown = new ArrayList<>();
            for (int page = 0; page < Math.min(SHOWN_PAGES, shortened(step)); page++) {
                shown.add(words.getInt(page << Place.PAGE_SHIFT) & WORD_MASK);
            }
            outcome.with("data", shown);
        }
        return outcome;
    }
}
