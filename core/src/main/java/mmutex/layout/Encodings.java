package mmutex.layout;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The encodings by name. A class is loaded only when its encoding is asked for: as long as a process uses one
 * architecture, {@link PteEncoding} has one subclass and its calls are bound statically.
 *
 * <p>Any thread may call. Every request makes a new instance; instances of the same name are interchangeable.
 */
public final class Encodings {
    private static final Map<String, Registration> BY_NAME = new LinkedHashMap<>();

    // One line each: name, golden values if there are any, and a factory that is declared to return the base class.
    static {
        register("x86-64-6.12", "v6.12/x86_64-l4", name -> X86_64Encoding.create(name, KernelGeneration.V6_12, 4));
        register("x86-64-7.3", "v7.3/x86_64-l4", name -> X86_64Encoding.create(name, KernelGeneration.V7_3, 4));
        register("x86-64-l5-6.12", "v6.12/x86_64-l5", name -> X86_64Encoding.create(name, KernelGeneration.V6_12, 5));
        register("x86-64-l5-7.3", "v7.3/x86_64-l5", name -> X86_64Encoding.create(name, KernelGeneration.V7_3, 5));
    }

    private Encodings() {}

    /** All names, in the order of registration. */
    public static Collection<String> names() {
        return Collections.unmodifiableSet(BY_NAME.keySet());
    }

    /**
     * The encoding of this name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static PteEncoding byName(final String name) {
        return registration(name).factory().apply(name);
    }

    /**
     * An architecture's encoding for a kernel.
     *
     * @param architecture the name without its version, for example {@code x86-64-l5}
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static PteEncoding forGeneration(final String architecture, final KernelGeneration generation) {
        return byName(architecture + "-" + generation.label());
    }

    /** Path of the golden values for this name, without extension and relative to their folder, if there are any. */
    public static Optional<String> goldenValues(final String name) {
        return Optional.ofNullable(registration(name).goldenValues());
    }

    private static Registration registration(final String name) {
        final Registration registration = BY_NAME.get(name);
        if (registration == null) {
            throw new IllegalArgumentException("unknown encoding: name=" + name + ", known=" + names());
        }
        return registration;
    }

    private static void register(
            final String name, final String goldenValues, final Function<String, PteEncoding> factory) {
        BY_NAME.put(name, new Registration(goldenValues, factory));
    }

    private record Registration(String goldenValues, Function<String, PteEncoding> factory) {}
}
