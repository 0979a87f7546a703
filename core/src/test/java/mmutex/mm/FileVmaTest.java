package mmutex.mm;

import static mmutex.mm.MmFixture.PAGE;
import static mmutex.mm.MmFixture.READ_ONLY;
import static mmutex.mm.MmFixture.READ_WRITE;
import static mmutex.mm.MmFixture.layout;
import static org.assertj.core.api.Assertions.assertThat;

import mmutex.layout.VmFlags;
import mmutex.mm.FileMapping.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** VMAs that map a file: what merges, and that the file knows its VMAs through every edit. */
class FileVmaTest {
    private final MmFixture mm = new MmFixture();
    private final FileMapping file = mm.platform.createFile(mm.task, Kind.SHMEM, 100);
    private final FileMapping other = mm.platform.createFile(mm.task, Kind.SHMEM, 100);

    private Vma map(final long first, final long end, final FileMapping of, final long pageOffset) {
        return map(first, end, READ_WRITE, of, pageOffset);
    }

    private Vma map(final long first, final long end, final long flags, final FileMapping of, final long pageOffset) {
        mm.space.mmapLock().writeLock(mm.task);
        final Vma vma = mm.space.editor().map(mm.task, first * PAGE, end * PAGE, flags, pageOffset, of);
        mm.space.mmapLock().writeUnlock(mm.task);
        return vma;
    }

    @AfterEach
    void shouldForgetAllVmas() {
        mm.unmap(mm.space, 0, 1000);
        assertThat(file.vmas()).isEmpty();
        assertThat(other.vmas()).isEmpty();
        file.release(mm.task);
        other.release(mm.task);
        assertThat(mm.platform.files()).isEmpty();
    }

    private void assertLinked() {
        for (final Vma vma : mm.space.vmas().snapshot()) {
            assertThat(vma.file().vmas()).containsOnlyOnce(vma);
        }
        assertThat(file.vmas().size() + other.vmas().size())
                .isEqualTo(mm.space.vmas().size());
        assertThat(file.vmas()).isSortedAccordingTo((a, b) -> Long.compare(a.pageOffset(), b.pageOffset()));
    }

    @Test
    void shouldMergeWhatContinuesTheSameFile() {
        map(10, 12, file, 0);
        map(14, 16, file, 4);
        assertThat(layout(mm.space)).isEqualTo("10-12 14-16");
        map(12, 14, file, 2);
        assertThat(layout(mm.space)).isEqualTo("10-16");
        assertLinked();
    }

    @Test
    void shouldNotMergeAnotherFileOrAnotherPlaceInIt() {
        map(10, 12, file, 0);
        map(12, 14, other, 2);
        map(14, 16, other, 0);
        map(16, 18, null, 2);
        assertThat(layout(mm.space)).isEqualTo("10-12 12-14 14-16 16-18");
    }

    @Test
    void shouldNotMergeSpecialMappings() {
        map(10, 12, READ_WRITE | VmFlags.MIXEDMAP, file, 0);
        map(12, 14, READ_WRITE | VmFlags.MIXEDMAP, file, 2);
        assertThat(layout(mm.space)).isEqualTo("10-12 12-14");
    }

    @Test
    void shouldSplitAndMergeBack() {
        map(10, 18, file, 5);
        mm.modify(12, 14, READ_ONLY);
        assertThat(layout(mm.space)).isEqualTo("10-12 12-14 14-18");
        assertThat(file.vmas()).extracting(Vma::pageOffset).containsExactly(5L, 7L, 9L);
        assertLinked();

        mm.modify(12, 13, READ_WRITE); // the boundary moves up
        assertThat(layout(mm.space)).isEqualTo("10-13 13-14 14-18");
        assertLinked();
        mm.modify(14, 15, READ_ONLY); // and another one
        assertThat(layout(mm.space)).isEqualTo("10-13 13-15 15-18");
        assertLinked();
        mm.modify(13, 15, READ_WRITE);
        assertThat(layout(mm.space)).isEqualTo("10-18");
        assertThat(file.vmas()).extracting(Vma::pageOffset).containsExactly(5L);
        assertLinked();
    }

    @Test
    void shouldKeepAnonVmaAndFileTogether() {
        final Vma vma = map(10, 14, file, 0);
        final AnonVma anonVma = mm.prepare(vma);
        final Vma part = mm.modify(12, 14, READ_ONLY);
        assertThat(part.anonVma()).isSameAs(anonVma);
        assertThat(part.file()).isSameAs(file);
        mm.modify(12, 14, READ_WRITE);
        assertThat(layout(mm.space)).isEqualTo("10-14");
        assertThat(anonVma.vmas()).containsExactly(vma);
        assertLinked();
    }

    @Test
    void shouldNotShareAnAnonVmaWithANeighbourOfAnotherFile() {
        final Vma left = map(10, 12, file, 0);
        final Vma right = map(12, 14, other, 2);
        assertThat(mm.prepare(left)).isNotSameAs(mm.prepare(right));
    }

    @Test
    void shouldVisitTheParentBeforeTheChild() {
        final Vma parent = map(10, 14, file, 3);
        final AddressSpace child = mm.newSpace();
        final Vma copy = mm.fork(child, parent);
        assertThat(copy.file()).isSameAs(file);
        assertThat(file.vmas()).containsExactly(parent, copy);
        mm.unmap(child, 0, 1000);
        assertThat(file.vmas()).containsExactly(parent);
    }

    @Test
    void shouldBeHeldByItsMappings() {
        final FileMapping unnamed = mm.platform.createFile(mm.task, Kind.SHMEM, 4);
        map(10, 14, unnamed, 0);
        unnamed.release(mm.task);
        mm.unmap(mm.space, 10, 12);
        assertThat(mm.platform.file(unnamed.id())).isSameAs(unnamed);
        mm.unmap(mm.space, 12, 14);
        assertThat(mm.platform.file(unnamed.id())).isNull();
    }

    @Test
    void shouldBeReadOnlyAtFirstWhereSoftDirtyIsTracked() {
        final long shared = READ_WRITE | VmFlags.SHARED | VmFlags.MAYSHARE;
        final Vma vma = map(10, 11, shared, file, 0); // a fresh mapping is soft-dirty as a whole
        assertThat(mm.platform.encoding().permits(mm.platform.encoding().present(9, vma.protection()), true))
                .isTrue();
        final Vma tracked = mm.modify(10, 11, shared);
        assertThat(tracked.has(VmFlags.SOFTDIRTY)).isFalse();
        assertThat(mm.platform.encoding().permits(mm.platform.encoding().present(9, tracked.protection()), true))
                .isFalse();
    }
}
