package mmutex.mm;

import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.RangeGuard;
import mmutex.notify.legacy.Hmm;
import mmutex.notify.legacy.HmmMirror;
import mmutex.notify.legacy.HmmMirrorRange;
import mmutex.sync.Actor;

/** A mirror of the address space's {@code struct hmm}: as nouveau_svm.c did up to 5.4. */
final class MirrorTracker implements RangeTracker {
    private final AddressSpace space;
    private final HmmMirrorRange range;
    private final HmmMirror mirror;
    private Hmm hmm;

    MirrorTracker(final AddressSpace space, final HmmMirrorRange range, final NotifierSubscriber ofAll) {
        this.space = space;
        this.range = range;
        this.mirror = new HmmMirror() {
            @Override
            public boolean syncCpuDevicePagetables(final Actor actor, final NotifierRange update) {
                return ofAll.invalidateStart(actor, update);
            }

            @Override
            public void release(final Actor actor) {
                ofAll.release(actor);
            }
        };
    }

    /** hmm_mirror_register. */
    @Override
    public Errno attach(final Actor actor) {
        final Hmm got = (Hmm) space.get(actor, Hmm.ops(space.platform().has(Quirk.REVALIDATED_RANGE)));
        if (got == null) {
            return Errno.EINTR;
        }
        got.add(actor, mirror);
        hmm = got;
        return Errno.OK;
    }

    /** hmm_mirror_unregister. */
    @Override
    public void detach(final Actor actor) {
        hmm.remove(actor, mirror);
        space.notifiers().put(actor, hmm);
    }

    /** hmm_range_register. */
    @Override
    public Errno insert(final Actor actor, final long start, final long length) {
        final long last = start + length - 1;
        if (length == 0 || Long.compareUnsigned(last, start) < 0) {
            return Errno.EOVERFLOW;
        }
        if (!space.isAlive()) {
            return Errno.EINVAL;
        }
        hmm.register(actor, range, start, last);
        return Errno.OK;
    }

    /** hmm_range_unregister. */
    @Override
    public void remove(final Actor actor) {
        hmm.unregister(actor, range);
    }

    @Override
    public RangeGuard guard() {
        return range;
    }
}
