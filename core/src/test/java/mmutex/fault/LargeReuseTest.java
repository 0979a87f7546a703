package mmutex.fault;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.READ;
import static mmutex.machine.Emulation.READ_WRITE;
import static mmutex.machine.Emulation.addr;
import static mmutex.machine.Huge.PAGES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import mmutex.change.Advisor.Advice;
import mmutex.machine.Emulation;
import mmutex.machine.Emulation.Event;
import mmutex.machine.Huge;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.LargeReuse;
import mmutex.notify.NotifierEvent;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Writes to read-only pages of a large folio that single entries map, and that nobody is known to own alone. */
class LargeReuseTest {
    static Stream<SemanticProfile> profiles() {
        return SemanticProfile.ALL.stream();
    }

    /** Mapped page by page, and shared with a child. */
    private static Process shared(final Emulation emulation) {
        emulation.protect(0, 1, READ);
        emulation.protect(0, 1, READ_WRITE);
        assertThat(Huge.isHuge(emulation, 0)).isFalse();
        return emulation.fork();
    }

    /** Whether the page is the process's own afterwards without a copy. */
    private static boolean isReused(final Emulation emulation, final int page) {
        final long before = emulation.frame(page);
        final List<Event> events = emulation.record();
        emulation.store(page, 7);
        final boolean reused = emulation.frame(page) == before;
        assertThat(events.contains(new Event(NotifierEvent.CLEAR, page, page + 1, 0)))
                .as("event of a copy")
                .isEqualTo(!reused);
        assertThat(emulation.load(page)).isEqualTo(7);
        return reused;
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReuseAPageWhoseFolioIsMappedHereOnly(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        shared(emulation).exit(emulation.cpu);

        assertThat(isReused(emulation, 3)).isEqualTo(profile.largeReuse() == LargeReuse.ALL_OURS);

        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyAPageOfAFolioThatAChildMaps(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        final Process child = shared(emulation);
        // The written page itself is the process's alone, but its folio isn't.
        assertThat(child.madvise(emulation.cpu, addr(3), PAGE, Advice.DONTNEED)).isEqualTo(Errno.OK);

        assertThat(isReused(emulation, 3)).isFalse();

        child.exit(emulation.cpu);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyAPageOfAFolioThatSomebodyUses(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        shared(emulation).exit(emulation.cpu);
        final long user = emulation.frame(9);
        emulation.frames.get(user);

        assertThat(isReused(emulation, 3)).isFalse();

        emulation.platform.putPage(user);
        Huge.assertNothingIsLeft(emulation);
    }

    /** The last page that is mapped: later kernels rather have the folio back. */
    @ParameterizedTest
    @MethodSource("profiles")
    void shouldReuseOrFreeAFolioOfWhichOnePageIsLeft(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        shared(emulation).exit(emulation.cpu);
        Huge.advise(emulation, 0, 3, Advice.DONTNEED);
        Huge.advise(emulation, 4, PAGES - 4, Advice.DONTNEED);

        assertThat(isReused(emulation, 3)).isEqualTo(profile.largeReuse() == LargeReuse.LAST_REFERENCE);

        final boolean freed = profile.largeReuse() != LargeReuse.LAST_REFERENCE;
        assertThat(emulation.platform.allocator().inUse()).isEqualTo(freed ? 1 : PAGES);
        Huge.assertNothingIsLeft(emulation);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void shouldCopyOncePerPageNeverTwice(final SemanticProfile profile) {
        final Emulation emulation = Huge.written(profile, 1);
        shared(emulation).exit(emulation.cpu);
        emulation.store(3, 7);
        final long faults = emulation.cpu.faults();

        emulation.store(3, 8);

        assertThat(emulation.cpu.faults()).isEqualTo(faults);
        Huge.assertNothingIsLeft(emulation);
    }
}
