package mmutex.stress.conform;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Every operation that the format knows: its arguments, with their types ({@code ?} may be missing), and the result
 * fields it may have besides those that all have. How the emulator performs it is {@link Actions}' business.
 */
enum Operation {
    // spotless:off
    MMAP("at:place n:pages kind:kind prot:prot file_page_k_holds:text?", ""),
    MUNMAP("at:place n:pages", ""),
    MPROTECT("at:place n:pages prot:prot", ""),
    MADVISE("at:place n:pages advice:advice", ""),
    MREMAP("from:place n:pages to:place flags:remap_flags", ""),
    MLOCK("at:place n:pages", ""),
    MUNLOCK("at:place n:pages", ""),
    MINCORE("at:place n:pages", "vec"),
    FTRUNCATE("size:amount", ""),
    CPU_READ("at:place", "val sig si_code"),
    CPU_WRITE("at:place val:word", "sig si_code"),
    CPU_FETCH_ADD("at:place val:word", "val sig si_code"),
    EXCLUSIVE("dev:device at:place n:pages ptr:buffer?", "dev:device block:unmapped", "cpages faults data"),
    CHECK_EXCLUSIVE("dev:device at:place n:pages", "cpages faults"),
    DEV_READ("dev:device at:place n:pages", "cpages faults data"),
    DEV_WRITE("dev:device at:place n:pages val:word", "cpages faults"),
    SNAPSHOT("dev:device at:place n:pages", "cpages faults perm"),
    MIGRATE_TO_DEV("dev:device at:place n:pages", "cpages faults data"),
    MIGRATE_TO_SYS("dev:device at:place n:pages", "cpages faults"),
    RELEASE("dev:device at:place n:pages", "cpages faults"),
    UNKNOWN_REQUEST("dev:device", ""),
    CLOSE_DEVICE("dev:device", ""),
    FORK("child:child", ""),
    CHILD_START("", ""),
    EXIT("", ""),
    WAIT_CHILD("", "status"),
    CLEAR_REFS("val:word", ""),
    UFFD_REGISTER("at:place n:pages missing:switch wp:switch", ""),
    UFFD_WRITEPROTECT("at:place n:pages on:switch", ""),
    UFFD_EVENTS_SO_FAR("", "events"),
    PROCMEM_READ("at:place len:amount", "val"),
    PROCMEM_WRITE("at:place len:amount val:see_val", "val"),
    PROCESS_VM_READV("at:place len:amount target:target", "val"),
    PROCESS_VM_WRITEV("at:place len:amount target:target", "val"),
    WRITE_PIPE_FROM("at:place len:amount", "val"),
    READ_PIPE_INTO("at:place len:amount val:word", ""),
    VMSPLICE_FROM("at:place len:amount", "val"),
    VMSPLICE_HOLD("at:place len:amount", ""),
    READ_PIPE("len:amount", "val"),
    FUTEX_WAIT("at:place expect:word timeout_ns:amount private:truth", ""),
    SWAPON("device:disk", ""),
    SWAPOFF("", ""),
    COMPACT_MEMORY("", ""),
    LOOK("", ""),
    FILL("at:place n:pages val:word", ""),
    REOPEN("dev:device device:device", ""),
    KSM_SCAN("until:scan"),
    DROP_CACHES(""),
    WAIT_WRITEBACK(""),
    RESERVE_HUGEPAGES("n:pages");
    // spotless:on

    /** Fields that every recorded step but exit may have. */
    private static final Set<String> COMMON = Set.of("ret", "errno", "minflt", "majflt", "rss", "pm");

    private static final Map<String, Operation> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toMap(Operation::toString, operation -> operation));

    private final String text = name().toLowerCase(Locale.ROOT);
    private final List<List<Argument>> signatures;
    private final Set<String> results;
    private final boolean setupOnly;

    /** An argument of a signature. */
    record Argument(String name, ArgumentType type, boolean optional) {}

    /** An operation of setup steps alone. */
    Operation(final String arguments) {
        this(List.of(arguments), "", true);
    }

    Operation(final String arguments, final String results) {
        this(List.of(arguments), results, false);
    }

    Operation(final String arguments, final String otherArguments, final String results) {
        this(List.of(arguments, otherArguments), results, false);
    }

    Operation(final List<String> signatures, final String results, final boolean setupOnly) {
        this.signatures = signatures.stream().map(Operation::signature).toList();
        this.results = Set.of(words(results));
        this.setupOnly = setupOnly;
    }

    static Operation byName(final String name) throws BadRecording {
        final Operation operation = BY_NAME.get(name);
        if (operation == null) {
            throw new BadRecording("unknown operation '" + name + "'");
        }
        return operation;
    }

    /** Whether it occurs in setup steps only. */
    boolean isSetupOnly() {
        return setupOnly;
    }

    /** Which arguments it takes, in one of several ways. */
    List<List<Argument>> signatures() {
        return signatures;
    }

    /** Whether a recorded step of this operation may have the result field. */
    boolean mayHave(final String result) {
        return this == EXIT ? result.equals("ret") : COMMON.contains(result) || results.contains(result);
    }

    /** Reads its arguments: the first signature that fits tells their types. */
    Map<String, Object> arguments(final Fields fields) throws BadRecording {
        final List<Argument> signature = signatures.stream()
                .filter(s -> s.stream().allMatch(argument -> argument.optional || fields.has(argument.name)))
                .findFirst()
                .orElse(signatures.get(0));
        final Map<String, Object> values = new HashMap<>();
        for (final Argument argument : signature) {
            if (!argument.optional || fields.has(argument.name)) {
                values.put(argument.name, argument.type.parse(argument.name, fields.required(argument.name)));
            }
        }
        fields.finish();
        return values;
    }

    private static List<Argument> signature(final String text) {
        final List<Argument> signature = new ArrayList<>();
        for (final String word : words(text)) {
            final boolean optional = word.endsWith("?");
            final String[] parts = (optional ? word.substring(0, word.length() - 1) : word).split(":");
            signature.add(new Argument(parts[0], ArgumentType.valueOf(parts[1].toUpperCase(Locale.ROOT)), optional));
        }
        return signature;
    }

    private static String[] words(final String text) {
        return text.isEmpty() ? new String[0] : text.split(" ");
    }

    /** As recordings call it. */
    @Override
    public String toString() {
        return text;
    }
}
