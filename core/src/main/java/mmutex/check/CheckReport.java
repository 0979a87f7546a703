package mmutex.check;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the referees looked at and what they found. Filled by one thread. */
public final class CheckReport {
    private static final int VIOLATIONS_MAX = 100;

    private final Set<String> checked = new LinkedHashSet<>();
    private final List<String> violations = new ArrayList<>();

    void looking(final String... invariants) {
        checked.addAll(List.of(invariants));
    }

    void violated(final String invariant, final String what) {
        if (violations.size() < VIOLATIONS_MAX) {
            violations.add(invariant + ": " + what);
        }
    }

    /** Takes over what another one says. */
    void add(final CheckReport other) {
        checked.addAll(other.checked);
        other.violations.stream()
                .limit(Math.max(0, VIOLATIONS_MAX - violations.size()))
                .forEach(violations::add);
    }

    /** Number of invariants looked at. */
    public int checked() {
        return checked.size();
    }

    /** Their names. */
    public Set<String> checkedInvariants() {
        return checked;
    }

    /** What was broken, a line each, at most {@value #VIOLATIONS_MAX}. */
    public List<String> violations() {
        return violations;
    }

    public boolean isClean() {
        return violations.isEmpty();
    }

    /**
     * Returns this report if it is clean.
     *
     * @throws InvariantViolation otherwise
     */
    public CheckReport orThrow() {
        if (!isClean()) {
            throw new InvariantViolation(violations);
        }
        return this;
    }

    @Override
    public String toString() {
        return checked.size() + " checked, " + violations.size() + " violated" + (isClean() ? "" : ": " + violations);
    }
}
