package mmutex.mm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import mmutex.machine.Emulation;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;

@HangGuard
class DeviceMemoryTest {
    private static final long OWNER = 4;

    private final Emulation emulation = new Emulation(SemanticProfile.K612, 64, 64);
    private final Platform platform = emulation.platform;
    private final DeviceMemory memory = platform.newDeviceMemory(OWNER, (task, vma, addr, pfn) -> FaultResult.SIGBUS);

    @Test
    void shouldHandOutAsManyPagesAsThereAre() {
        assertThat(memory.allocate(0)).isEqualTo(FrameAllocator.NONE);
        memory.grow(2);
        final long first = memory.allocate(0);
        final long second = memory.allocate(0);

        assertThat(memory.allocate(0)).isEqualTo(FrameAllocator.NONE);
        assertThat(memory.inUse()).isEqualTo(2);
        platform.allocator().put(first);
        assertThat(memory.inUse()).isEqualTo(1);
        assertThat(memory.allocate(0)).isEqualTo(first);
        platform.allocator().put(first);
        platform.allocator().put(second);
        assertThat(platform.allocator().inUse()).isZero(); // a device's pages are none of the machine's
    }

    @Test
    void shouldKnowItsPages() {
        memory.grow(1);
        final DeviceMemory other = platform.newDeviceMemory(OWNER + 1, memory.ops());
        final long pfn = memory.allocate(0x1234_5678_9abcL);

        assertThat(platform.deviceMemory(pfn)).isSameAs(memory);
        assertThat(memory.isOwn(pfn)).isTrue();
        assertThat(other.isOwn(pfn)).isFalse();
        assertThat(memory.word(pfn)).isEqualTo(0x1234_5678_9abcL);
        assertThat(memory.owner()).isEqualTo(OWNER);
        assertThat(platform.frames().has(pfn, FrameTable.DEVICE_PRIVATE)).isTrue();

        platform.allocator().put(pfn);
        assertThat(platform.deviceMemory(pfn)).isNull();
        assertThat(memory.isOwn(pfn)).isFalse();
        final long ordinary = platform.allocator().allocate();
        platform.frames().setPrivateWord(ordinary, -1); // another user's word
        assertThat(platform.deviceMemory(ordinary)).isNull();
    }

    @Test
    void shouldTakePagesAwayAndKeepWhatIsInUse() {
        memory.grow(4);
        final long used = memory.allocate(0);
        final long freed = memory.allocate(0);
        platform.allocator().put(freed);

        memory.remove();
        memory.drain();

        assertThat(memory.allocate(0)).isEqualTo(FrameAllocator.NONE);
        assertThat(platform.allocator().allocate()).isEqualTo(freed); // the machine's again
        assertThat(memory.isOwn(used)).isTrue();
        platform.allocator().put(used);
        memory.grow(1);
        assertThat(memory.allocate(0)).isEqualTo(used);
    }

    @Test
    void shouldReportThatTheMachineHasNoFrames() {
        memory.grow(1000);
        long count = 0;
        while (memory.allocate(0) != FrameAllocator.NONE) {
            count++;
        }

        assertThat(count).isEqualTo(64 - 2);
        assertThat(memory.inUse()).isEqualTo(count);
    }

    @Test
    void shouldHandOutEachPageToOneOfMany() throws InterruptedException {
        memory.grow(8);
        final Set<Long> held = ConcurrentHashMap.newKeySet();
        final AtomicInteger misses = new AtomicInteger();
        final Crew crew = new Crew();
        crew.startTogether(3, number -> {
            for (int i = 0; i < 20_000; i++) {
                final long[] mine = new long[3];
                for (int k = 0; k < mine.length; k++) {
                    mine[k] = memory.allocate(number);
                    if (mine[k] == FrameAllocator.NONE) {
                        misses.incrementAndGet();
                    } else {
                        assertThat(held.add(mine[k])).isTrue();
                        assertThat(memory.word(mine[k])).isEqualTo(number);
                    }
                }
                for (final long pfn : mine) {
                    if (pfn != FrameAllocator.NONE) {
                        held.remove(pfn);
                        platform.allocator().put(pfn);
                    }
                }
            }
        });
        crew.join();

        assertThat(memory.inUse()).isZero();
        assertThat(memory.inUse()).isLessThanOrEqualTo(memory.capacity());
    }
}
