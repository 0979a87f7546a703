package mmutex.stress.conform;

import java.util.List;
import java.util.Map;

/**
 * One step of a scenario.
 *
 * @param number of the step; of the next recorded one for a setup step
 * @param setup whether it was performed only, and nothing of it is compared
 * @param who the process that performs it
 * @param operation what it does
 * @param arguments by name, as {@link ArgumentType} read them
 * @param results what was recorded, by field name in the order of comparison: Long, String, or a list of such
 * @param pages the watched pages that were recorded, in ascending order
 */
record Step(
        long number,
        boolean setup,
        String who,
        Operation operation,
        Map<String, Object> arguments,
        Map<String, Object> results,
        List<WatchedPage> pages) {

    /**
     * The recorded state of a watched page.
     *
     * @param region A or B
     * @param index of the page in the region
     * @param state what it looked like
     */
    record WatchedPage(char region, long index, PageText state) {
        long address() {
            return Place.ofPage(region, index);
        }

        /** Name of the field. */
        String field() {
            return "pm." + region + "." + index;
        }
    }

    boolean has(final String argument) {
        return arguments.containsKey(argument);
    }

    long number(final String argument) {
        return (Long) arguments.get(argument);
    }

    String text(final String argument) {
        return (String) arguments.get(argument);
    }

    boolean truth(final String argument) {
        return (Boolean) arguments.get(argument);
    }

    /** Address of the argument {@code at}. */
    long at() {
        return ((Place) arguments.get("at")).address();
    }

    /** The range's length in bytes, in 64-bit arithmetic as a C program does it. */
    long length() {
        return number("n") << Place.PAGE_SHIFT;
    }

    /** The operation and its place, for messages. */
    String title() {
        final Object place = arguments.getOrDefault("at", arguments.get("from"));
        return place == null ? operation.toString() : operation + " " + place;
    }
}
