package mmutex.bench.jmh;

import mmutex.mm.SemanticProfile;
import mmutex.notify.Protocol;

/**
 * What a {@link PageRange} consists of.
 *
 * @param subscriber who has to give its pages up
 * @param pages how many, in all
 * @param rangePages pages in one mapping; the mappings lie a page apart
 * @param bystanders subscribers whose ranges are elsewhere
 * @param profile kernel behaviour
 * @param protocol generation of notifiers
 */
record RangeSpec(
        Subscriber subscriber, int pages, int rangePages, int bystanders, SemanticProfile profile, Protocol protocol) {
    RangeSpec {
        if (pages < 1 || rangePages < 1 || pages % rangePages != 0) {
            throw new IllegalArgumentException(
                    "pages must be a multiple of rangePages: pages=" + pages + ", rangePages=" + rangePages);
        }
    }

    /** So many pages in one mapping of Linux 6.12. */
    static RangeSpec of(final Subscriber subscriber, final int pages) {
        return new RangeSpec(subscriber, pages, pages, 0, SemanticProfile.K612, Protocol.INTERVAL);
    }

    RangeSpec withRangePages(final int newRangePages) {
        return new RangeSpec(subscriber, pages, newRangePages, bystanders, profile, protocol);
    }

    RangeSpec withBystanders(final int newBystanders) {
        return new RangeSpec(subscriber, pages, rangePages, newBystanders, profile, protocol);
    }

    RangeSpec withProfile(final String name) {
        return new RangeSpec(subscriber, pages, rangePages, bystanders, SemanticProfile.byName(name), protocol);
    }

    RangeSpec withProtocol(final Protocol newProtocol) {
        return new RangeSpec(subscriber, pages, rangePages, bystanders, profile, newProtocol);
    }
}
