package mmutex.notify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;
import mmutex.sync.SrcuDomain;

/**
 * The list subscribers of one address space: the mn_hlist half of mm/mmu_notifier.c (6.12), semantics 3.21.
 *
 * <p>Spans walk a snapshot inside an SRCU section; who changes the list replaces it whole, under the lock. A subscriber's
 * registration is counted: {@link #add} gives it one user, {@link #find} another, {@link #put} takes one; with the last
 * one it is unlinked at once and freed after a grace period.
 */
final class SubscriberList {
    private static final NotifierSubscriber[] NOBODY = {};

    private final SrcuDomain srcu;
    private final SpinLock lock = new SpinLock(LockClass.SQ);
    private final List<Registration> registrations = new ArrayList<>(); // under the lock

    /** Replaced whole under the lock; read inside an SRCU section. */
    private volatile NotifierSubscriber[] linked = NOBODY;

    /** Those of them that want the ends; replaced after {@link #linked}. */
    private volatile NotifierSubscriber[] ended = NOBODY;

    SubscriberList(final SrcuDomain srcu) {
        this.srcu = srcu;
    }

    // ---- spans ----------------------------------------------------------------------------------------------

    /**
     * mn_hlist_invalidate_range_start: all starts run even if one refuses; then the ends are sent, since a subscriber that
     * accepted expects its end and none can tell whether another one refused. One that may refuse has no end.
     *
     * @return false only for a non-blockable range
     */
    boolean start(final Actor actor, final NotifierRange range) {
        boolean accepted = true;
        final int section = srcu.readLock(actor);
        final NotifierSubscriber[] list = linked;
        for (final NotifierSubscriber subscriber : list) {
            if (!subscriber.invalidateStart(actor, range)) {
                if (range.isBlockable()) {
                    srcu.readUnlock(actor, section);
                    throw new IllegalStateException("a subscriber refused a blockable range: " + range);
                }
                accepted = false;
            }
        }
        if (!accepted) {
            for (final NotifierSubscriber subscriber : list) {
                if (subscriber.wantsEnds()) {
                    subscriber.invalidateEnd(actor, range);
                }
            }
        }
        srcu.readUnlock(actor, section);
        return accepted;
    }

    /** mn_hlist_invalidate_end. Without a subscriber to call there is nothing that a section would protect. */
    void end(final Actor actor, final NotifierRange range) {
        if (ended.length == 0) {
            return;
        }
        final int section = srcu.readLock(actor);
        for (final NotifierSubscriber subscriber : ended) {
            subscriber.invalidateEnd(actor, range);
        }
        srcu.readUnlock(actor, section);
    }

    // ---- registration ---------------------------------------------------------------------------------------

    /** __mmu_notifier_register, its locked part: the caller has excluded running spans. One user. */
    void add(final Actor actor, final NotifierSubscriber subscriber, final SubscriberOps ops) {
        lock.lock(actor);
        registrations.add(new Registration(subscriber, ops));
        publish();
        lock.unlock(actor);
    }

    /** find_get_mmu_notifier: the subscriber of these operations, with one more user; null if there is none. */
    NotifierSubscriber find(final Actor actor, final SubscriberOps ops) {
        NotifierSubscriber found = null;
        lock.lock(actor);
        for (final Registration registration : registrations) {
            if (registration.isLinked && registration.ops == ops) {
                registration.users++;
                found = registration.subscriber;
                break;
            }
        }
        lock.unlock(actor);
        return found;
    }

    /** mmu_notifier_put: returns at once; after the last one, free is called once nobody can be in a callback. */
    void put(final Actor actor, final NotifierSubscriber subscriber) {
        boolean last = false;
        lock.lock(actor);
        final Registration registration = registration(subscriber);
        if (registration != null) {
            registration.users--;
            last = registration.users == 0;
            if (last) {
                registrations.remove(registration);
                publish();
            }
        }
        lock.unlock(actor);
        if (registration == null) {
            throw new IllegalStateException("put without get: " + subscriber);
        }
        if (last) {
            srcu.call(actor, subscriber::free);
        }
    }

    /** mmu_notifier_unregister. */
    void unregister(final Actor actor, final NotifierSubscriber subscriber) {
        boolean wasLinked = false;
        final int section = srcu.readLock(actor);
        lock.lock(actor);
        final Registration registration = registration(subscriber);
        if (registration != null) {
            // Unlinked before it is released, so that exit does not release it again.
            wasLinked = registration.isLinked;
            registrations.remove(registration);
            publish();
        }
        lock.unlock(actor);
        if (wasLinked) {
            subscriber.release(actor);
        }
        srcu.readUnlock(actor, section);
        srcu.synchronize(actor);
    }

    /** mn_hlist_release: the address space is going away; whoever is still linked is told, once. */
    void release(final Actor actor) {
        final int section = srcu.readLock(actor);
        lock.lock(actor);
        final NotifierSubscriber[] list = linked;
        registrations.forEach(registration -> registration.isLinked = false);
        linked = NOBODY;
        ended = NOBODY;
        lock.unlock(actor);
        for (final NotifierSubscriber subscriber : list) {
            subscriber.release(actor);
        }
        srcu.readUnlock(actor, section);
        srcu.synchronize(actor);
    }

    private Registration registration(final NotifierSubscriber subscriber) {
        for (final Registration registration : registrations) {
            if (registration.subscriber == subscriber) {
                return registration;
            }
        }
        return null;
    }

    private void publish() {
        linked = registrations.stream()
                .filter(registration -> registration.isLinked)
                .map(registration -> registration.subscriber)
                .toArray(NotifierSubscriber[]::new);
        ended = Arrays.stream(linked).filter(NotifierSubscriber::wantsEnds).toArray(NotifierSubscriber[]::new);
    }

    /** What belongs to one subscriber; under the lock. */
    private static final class Registration {
        private final NotifierSubscriber subscriber;
        private final SubscriberOps ops;
        private int users = 1;
        private boolean isLinked = true;

        private Registration(final NotifierSubscriber subscriber, final SubscriberOps ops) {
            this.subscriber = subscriber;
            this.ops = ops;
        }
    }
}
