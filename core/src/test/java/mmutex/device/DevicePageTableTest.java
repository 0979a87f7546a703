package mmutex.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.layout.Encodings;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.sync.Actor;
import mmutex.sync.Crew;
import mmutex.sync.HangGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@HangGuard
class DevicePageTableTest {
    private static final long PTE = DevicePte.of(7, DevicePte.VALID | DevicePte.WRITE);

    private final Platform platform = new Platform(Encodings.byName("x86-64-6.12"), SemanticProfile.K612, 64, 64, 1);
    private final DevicePageTable table = new DevicePageTable(platform, 2);
    private final Actor driver = new Actor(1, "driver");

    @Test
    void shouldPackEntries() {
        final long pte = DevicePte.of(0x12345, DevicePte.VALID | DevicePte.ATOMIC);

        assertThat(DevicePte.frameNumber(pte)).isEqualTo(0x12345);
        assertThat(DevicePte.has(pte, DevicePte.VALID)).isTrue();
        assertThat(DevicePte.has(pte, DevicePte.VALID | DevicePte.ATOMIC)).isTrue();
        assertThat(DevicePte.has(pte, DevicePte.VALID | DevicePte.WRITE)).isFalse();
        assertThat(DevicePte.has(DevicePte.NONE, DevicePte.VALID)).isFalse();
        assertThat(DevicePte.frameNumber(DevicePte.of((1L << 40) - 1, DevicePte.VALID)))
                .isEqualTo((1L << 40) - 1);
    }

    @Test
    void shouldMapNothingAtFirst() {
        assertThat(table.load(0)).isEqualTo(DevicePte.NONE);
        assertThat(table.load(table.pageLimit() - 1)).isEqualTo(DevicePte.NONE);
        assertThat(table.nextValid(0, table.pageLimit())).isEqualTo(table.pageLimit());
    }

    @Test
    void shouldReturnWhatIsStored() {
        assertThat(table.store(5, PTE)).isTrue();

        assertThat(table.load(5)).isEqualTo(PTE);
        assertThat(table.load(4)).isEqualTo(DevicePte.NONE);
        assertThat(table.load(6)).isEqualTo(DevicePte.NONE);
    }

    /** A page number beyond the table must not be taken for the one that its low bits name. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 36, (1L << 36) + 5, -1, Long.MIN_VALUE + 5})
    void shouldMapNothingBeyondItsLimit(final long vpn) {
        table.store(5, PTE);
        table.store(0, PTE);
        table.store(table.pageLimit() - 1, PTE);

        assertThat(table.load(vpn)).isEqualTo(DevicePte.NONE);
    }

    @Test
    void shouldEraseARangeAndSayHowMuch() {
        for (final long vpn : new long[] {5, 6, 9, 511, 512, 100_000}) {
            table.store(vpn, PTE);
        }

        assertThat(table.erase(driver, 6, 512)).isEqualTo(3);

        assertThat(table.load(5)).isEqualTo(PTE);
        assertThat(table.load(6)).isEqualTo(DevicePte.NONE);
        assertThat(table.load(511)).isEqualTo(DevicePte.NONE);
        assertThat(table.load(512)).isEqualTo(PTE);
        assertThat(table.load(100_000)).isEqualTo(PTE);
        assertThat(table.erase(driver, 6, 512)).isZero();
        assertThat(table.erase(driver, 20, 20)).isZero();
    }

    @Test
    void shouldEraseEverythingWhateverTheEnd() {
        table.store(0, PTE);
        table.store(table.pageLimit() - 1, PTE);

        assertThat(table.erase(driver, 0, Long.MAX_VALUE)).isEqualTo(2);
        assertThat(table.nextValid(0, table.pageLimit())).isEqualTo(table.pageLimit());
    }

    @Test
    void shouldFindTheNextValidEntry() {
        table.store(700, PTE);
        table.store(1 << 20, PTE);

        assertThat(table.nextValid(0, table.pageLimit())).isEqualTo(700);
        assertThat(table.nextValid(700, table.pageLimit())).isEqualTo(700);
        assertThat(table.nextValid(701, table.pageLimit())).isEqualTo(1 << 20);
        assertThat(table.nextValid(0, 700)).isEqualTo(700);
        assertThat(table.nextValid(0, 300)).isEqualTo(300);
        assertThat(table.nextValid((1 << 20) + 1, table.pageLimit())).isEqualTo(table.pageLimit());
    }

    @Test
    void shouldReportAFullArenaAndGiveItsTablesBack() {
        final Platform small = new Platform(Encodings.byName("x86-64-6.12"), SemanticProfile.K612, 64, 6, 1);
        final DevicePageTable tight = new DevicePageTable(small, 1);

        assertThat(tight.store(0, PTE)).isTrue();
        assertThat(tight.store(tight.pageLimit() - 1, PTE)).isFalse();
        assertThat(tight.load(tight.pageLimit() - 1)).isEqualTo(DevicePte.NONE);
        assertThat(tight.load(0)).isEqualTo(PTE);
        tight.free();
        assertThat(small.tables().inUse()).isZero();
    }

    /** O6: the access that was in progress is over when the erasure returns. */
    @Test
    void shouldDrainAccessesInProgress() throws InterruptedException {
        final AtomicBoolean closing = new AtomicBoolean();
        final CountDownLatch coming = new CountDownLatch(1);
        table.store(5, PTE);
        table.window(1).open();
        assertThat(table.isAnyWindowOpen()).isTrue();
        final Crew crew = new Crew();
        crew.start("driver", () -> {
            coming.countDown();
            table.erase(driver, 5, 6);
            assertThat(closing).isTrue();
        });
        coming.await();
        for (int i = 0; i < 1_000; i++) {
            Thread.yield(); // gives the erasure every chance to return too early
        }
        closing.set(true);
        table.window(1).close();

        crew.join();
        assertThat(table.isAnyWindowOpen()).isFalse();
    }

    /** Nothing erased, nobody to wait for. */
    @Test
    void shouldNotWaitWhenItErasesNothing() {
        table.store(5, PTE);
        table.window(0).open();

        assertThat(table.erase(driver, 6, 100)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldBehaveLikeAMap(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final TreeMap<Long, Long> model = new TreeMap<>();
        for (int step = 0; step < 2_000; step++) {
            final long vpn = random.nextLong(3 * 512);
            final int choice = random.nextInt(10);
            if (choice < 4) {
                final long pte = DevicePte.of(1 + random.nextLong(1000), DevicePte.VALID);
                table.store(vpn, pte);
                model.put(vpn, pte);
            } else if (choice < 6) {
                final long end = vpn + random.nextLong(100);
                assertThat(table.erase(driver, vpn, end))
                        .as("seed=%d, step=%d", seed, step)
                        .isEqualTo(model.subMap(vpn, end).size());
                model.subMap(vpn, end).clear();
            } else if (choice < 8) {
                assertThat(table.load(vpn))
                        .as("seed=%d, step=%d", seed, step)
                        .isEqualTo(model.getOrDefault(vpn, DevicePte.NONE));
            } else {
                final long end = vpn + random.nextLong(600);
                final Long next = model.ceilingKey(vpn);
                assertThat(table.nextValid(vpn, end))
                        .as("seed=%d, step=%d", seed, step)
                        .isEqualTo(next == null ? end : Math.min(next, end));
            }
        }
    }
}
