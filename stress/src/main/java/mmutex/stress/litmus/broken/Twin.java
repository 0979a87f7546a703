package mmutex.stress.litmus.broken;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks a wrong copy of a protocol. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Twin {
    /** The names of the orders that it breaks. */
    String[] breaks();

    /** What has to happen for the wrong outcome to show. */
    Shows shows();

    /** When a wrong outcome shows. */
    enum Shows {
        /** The steps are in the wrong order or not atomic: some interleaving of them is wrong on any machine. */
        BY_INTERLEAVING("interleaving"),
        /** A store has to pass a later load: every multi-core machine does that, x86 included. */
        BY_LATE_STORE("late store"),
        /** Two stores, or two loads, have to be reordered: weakly ordered machines do that, x86 only by its compiler. */
        BY_WEAK_ORDER("weak order");

        private final String text;

        Shows(final String text) {
            this.text = text;
        }

        /** For people. */
        public String text() {
            return text;
        }

        /** Whether a run has to show it, whatever the machine, if more than one core takes part. */
        public boolean isCertain() {
            return this != BY_WEAK_ORDER;
        }
    }
}
