package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import mmutex.check.CheckReport;
import mmutex.check.InvariantChecker;
import mmutex.mm.Platform;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;

/** A program of operations with arguments that the format allows, drawn from a seed, and its performance. */
final class RandomProgram {
    private static final int STEPS_MAX = 50;
    private static final int LEAF_PAGES = 512;
    /** What the format can say and the emulator can't do; docs/conformance.md has the reasons. */
    private static final List<String> REFUSALS =
            List.of("misaligned ", "mmap of a ", "ftruncate within a page", "clear_refs ", "futex_wait on a shared");
    /** What most programs are about; the others are drawn less often. */
    private static final List<Operation> COMMON = List.of(
            Operation.MMAP,
            Operation.FILL,
            Operation.CPU_READ,
            Operation.CPU_WRITE,
            Operation.EXCLUSIVE,
            Operation.EXCLUSIVE,
            Operation.DEV_READ,
            Operation.DEV_WRITE,
            Operation.MIGRATE_TO_DEV,
            Operation.MPROTECT,
            Operation.MADVISE,
            Operation.MREMAP,
            Operation.FORK);

    private final SemanticProfile profile;
    private final long seed;
    private final SplittableRandom dice;
    private final World world;
    private final Task referee;
    /** Whether ranges are as large as a huge page. */
    private final boolean large;

    private final List<String> alive = new ArrayList<>(List.of("p"));
    private final List<String> born = new ArrayList<>(alive);
    private final List<String> performed = new ArrayList<>();
    /** Pages to which pipes refer, of which the referees know nothing. */
    private int held;

    RandomProgram(final SemanticProfile profile, final long seed) {
        this.profile = profile;
        this.seed = seed;
        this.dice = new SplittableRandom(seed);
        this.world = new World(profile);
        this.referee = world.machine().newTask("referee");
        this.large = dice.nextInt(4) == 0;
    }

    /** Performs it to its end; what goes wrong is told with the steps that led to it. */
    void perform() {
        try {
            final int steps = dice.nextInt(10, STEPS_MAX);
            begin();
            for (int step = 0; step < steps; step++) {
                final String who = alive.get(dice.nextInt(alive.size()));
                final Operation operation = operation(who);
                perform(who, operation, arguments(operation));
            }
            for (int i = alive.size() - 1; i > 0; i--) {
                perform(alive.get(i), Operation.EXIT, Map.of());
            }
            end();
        } catch (final RuntimeException | BadRecording | NotEmulated | AssertionError e) {
            throw new AssertionError(
                    "profile=" + profile.name() + " seed=" + seed + ": " + e.getMessage() + "\n  "
                            + String.join("\n  ", performed),
                    e);
        } finally {
            world.close();
        }
    }

    /** Memory at A, and now and then what seldom comes about by chance alone. */
    private void begin() throws BadRecording, NotEmulated {
        final Map<String, Object> range = new HashMap<>(Map.of("at", Place.parse("at", "A"), "n", pages()));
        final boolean hugetlb = dice.nextInt(10) == 0;
        if (hugetlb) {
            perform("p", Operation.RESERVE_HUGEPAGES, Map.of("n", (long) dice.nextInt(1, 5)));
            range.put("n", (long) LEAF_PAGES);
        }
        perform("p", Operation.MMAP, with(range, "kind", hugetlb ? "hugetlb_private_2M" : kind(), "prot", "rw"));
        if (dice.nextInt(4) == 0) {
            perform("p", Operation.SWAPON, Map.of("device", "virtio disk"));
        }
        if (dice.nextInt(4) == 0) {
            final long modes = dice.nextInt(1, 4);
            perform("p", Operation.UFFD_REGISTER, with(range, "missing", modes & 1, "wp", modes >> 1));
        }
        if (dice.nextInt(4) == 0) {
            perform("p", Operation.MADVISE, with(range, "advice", advice()));
        }
    }

    private static Map<String, Object> with(final Map<String, Object> some, final Object... more) {
        final Map<String, Object> all = new HashMap<>(some);
        for (int i = 0; i < more.length; i += 2) {
            all.put((String) more[i], more[i + 1]);
        }
        return all;
    }

    private void perform(final String who, final Operation operation, final Map<String, Object> arguments)
            throws NotEmulated {
        performed.add(who + " " + operation + " " + arguments);
        final Step step = new Step(performed.size(), false, who, operation, arguments, Map.of(), List.of());
        final Party party = world.party(who);
        try {
            final Outcome outcome = Actions.perform(world, step);
            performed.set(
                    performed.size() - 1,
                    performed.get(performed.size() - 1) + ": " + outcome.get("ret") + " " + outcome.get("errno"));
            if (operation == Operation.FORK && outcome.isSuccess()) {
                alive.add(step.text("child"));
                born.add(step.text("child"));
            } else if (operation == Operation.EXIT) {
                alive.remove(who);
            } else if (operation == Operation.VMSPLICE_HOLD && outcome.isSuccess()) {
                held++;
            }
        } catch (final NotEmulated missing) {
            if (REFUSALS.stream().noneMatch(missing.getMessage()::startsWith)) {
                throw missing;
            }
        }
        check();
    }

    private void check() {
        final InvariantChecker checker = new InvariantChecker(world.machine());
        alive.stream()
                .flatMap(name -> Stream.of(0, 1).map(world.party(name)::handle))
                .filter(handle -> handle != null)
                .distinct()
                .forEach(checker::with);
        final CheckReport report = held == 0 ? checker.atQuiescence(referee) : checker.now(referee);
        report.orThrow();
    }

    /** The last process exits, and the file goes; what is left is the pool of huge pages. */
    private void end() {
        world.close();
        world.exit("p");
        alive.clear();
        new InvariantChecker(world.machine()).atQuiescence(referee).orThrow();
        if (world.file() != null) {
            world.file().close(referee);
        }
        final Platform platform = world.machine().platform();
        if (platform.tables().inUse() != 0 || platform.allocator().inUse() % LEAF_PAGES != 0) {
            throw new AssertionError("tables left: " + platform.tables().inUse() + " frames left: "
                    + platform.allocator().inUse());
        }
    }

    // ---- the dice ---------------------------------------------------------------------------------------------

    private Operation operation(final String who) {
        while (true) { // ends: most operations are anybody's
            final Operation drawn = dice.nextInt(3) > 0
                    ? COMMON.get(dice.nextInt(COMMON.size()))
                    : Operation.values()[dice.nextInt(Operation.values().length)];
            final boolean possible = switch (drawn) {
                case EXIT -> !who.equals("p") && who.equals(alive.get(alive.size() - 1));
                case FORK -> born.size() < 3 && who.equals(born.get(born.size() - 1));
                case RESERVE_HUGEPAGES -> dice.nextInt(3) == 0;
                default -> true;
            };
            if (possible) {
                return drawn;
            }
        }
    }

    private Map<String, Object> arguments(final Operation operation) throws BadRecording {
        final List<List<Operation.Argument>> ways = operation.signatures();
        final Map<String, Object> values = new HashMap<>();
        for (final Operation.Argument argument : ways.get(dice.nextInt(20) == 0 ? ways.size() - 1 : 0)) {
            if (!argument.optional() || dice.nextInt(20) == 0) {
                values.put(argument.name(), value(argument.name(), argument.type()));
            }
        }
        if (operation == Operation.FORK) {
            values.put("child", born.size() == 1 ? "c" : "g");
        }
        if (operation == Operation.FILL && !large) {
            values.put("n", (long) dice.nextInt(1, 9));
        }
        return values;
    }

    private Object value(final String name, final ArgumentType type) throws BadRecording {
        return switch (type) {
            case PLACE -> place();
            case PAGES -> pages();
            case DEVICE, SWITCH -> (long) dice.nextInt(2);
            case WORD -> (long) dice.nextInt(1 << 16);
            case AMOUNT -> amount(name);
            case TRUTH -> dice.nextInt(4) > 0;
            case TEXT -> "word 700+k";
            case BUFFER -> dice.nextBoolean() ? "unmapped" : place();
            case KIND -> kind();
            case ADVICE -> advice();
            case PROT -> dice.nextBoolean() ? "rw" : choice(type);
            default -> choice(type);
        };
    }

    private String choice(final ArgumentType type) {
        return type.choices().get(dice.nextInt(type.choices().size()));
    }

    /** Where a make confuses the pages of a huge one, the device computes on another page than the entry says. */
    private String advice() {
        String drawn = choice(ArgumentType.ADVICE);
        while (profile.makeConfusesSubpages() && (drawn.equals("HUGEPAGE") || drawn.equals("COLLAPSE"))) { // soon
            drawn = choice(ArgumentType.ADVICE);
        }
        return drawn;
    }

    private String kind() {
        return dice.nextInt(3) > 0 ? "anon_private" : choice(ArgumentType.KIND);
    }

    private Place place() throws BadRecording {
        final int odd = dice.nextInt(100);
        if (odd == 0) {
            return Place.parse("at", "null");
        }
        if (odd == 1) {
            return Place.parse("at", "0x" + Long.toHexString(dice.nextLong()));
        }
        final int page = large && dice.nextBoolean()
                ? dice.nextInt(3) * LEAF_PAGES + (dice.nextBoolean() ? 0 : dice.nextInt(LEAF_PAGES))
                : dice.nextInt(8);
        return Place.parse("at", (dice.nextInt(4) > 0 ? "A+" : "B+") + page + (odd == 2 ? ".5" : ""));
    }

    private long pages() {
        final int odd = dice.nextInt(100);
        if (odd == 0) {
            return 0;
        }
        if (odd == 1) {
            return dice.nextLong();
        }
        return large && dice.nextBoolean() ? (long) LEAF_PAGES * dice.nextInt(1, 3) : dice.nextInt(1, 9);
    }

    private long amount(final String name) {
        return switch (name) {
            case "size" -> (long) dice.nextInt(9) * Place.PAGE_SIZE;
            case "len" -> dice.nextInt(10) == 0 ? dice.nextInt(1, 3 * (int) Place.PAGE_SIZE) : Integer.BYTES;
            default -> dice.nextInt(3);
        };
    }
}
