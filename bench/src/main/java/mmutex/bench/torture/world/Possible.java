package mmutex.bench.torture.world;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** What a word may hold, as far as its owner knows; once he has looked, he knows. A value, of which copies may be kept. */
public final class Possible {
    public static final Possible ZERO = new Possible(Set.of(0L));

    private final Set<Long> values;

    private Possible(final Set<Long> values) {
        this.values = values;
    }

    public static Possible of(final long value) {
        return new Possible(Set.of(value));
    }

    public Possible or(final long value) {
        final Set<Long> more = new HashSet<>(values);
        more.add(value);
        return new Possible(more);
    }

    public Possible or(final Possible other) {
        final Set<Long> more = new HashSet<>(values);
        more.addAll(other.values);
        return new Possible(more);
    }

    public boolean admits(final long found) {
        return values.contains(found);
    }

    @Override
    public String toString() {
        return values.stream().map(value -> "0x" + Long.toHexString(value)).collect(Collectors.joining(" or "));
    }
}
